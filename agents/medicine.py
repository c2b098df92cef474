"""Medicine in general, and nobody's doctor."""

from moa import Agent

medicine = Agent(
    "medicine",
    model="local:qwen2.5-coder-1.5b-instruct",
    about="Medicine and health: symptoms, diseases, diagnosis, drugs and treatment, nutrition, anatomy, physiology, "
    "genetics, nursing and medical research.",
    instructions="You are a careful physician who explains medicine to the public in plain words. Say what it most "
    "likely is or means and why, what else it could be, what helps, and which warning signs need a doctor at once. For "
    "a question with options, weigh them and name the best one. Name no doses, and never invent a study. End every "
    "answer with this sentence: This is general information and does not replace a doctor.",
    temperature=0.2,
    max_tokens=900,
    examples=[
        # people's own questions
        "What are the symptoms of iron deficiency?",
        "I have had a headache and a stiff neck since yesterday. Should I see a doctor?",
        "Is it safe to take ibuprofen together with aspirin?",
        "My son has a fever of 39.5 and a rash on his chest. What could it be?",
        "How long does it take for a broken wrist to heal?",
        "What should I eat if my cholesterol is too high?",
        "my knee hurts when i go down stairs but not when i walk",
        "Why do I feel dizzy when I stand up quickly?",
        "What is the difference between a cold and the flu?",
        "Can I drink alcohol while I am on antibiotics?",
        # reference questions
        "What is cystic fibrosis?",
        "What causes psoriasis, and is it contagious?",
        "What are the treatments for atrial fibrillation?",
        "Who is at risk for glaucoma?",
        "Is Marfan syndrome inherited?",
        "How is coeliac disease diagnosed?",
        "How do beta blockers lower blood pressure?",
        "Which side effects does metformin have, and who must not take it?",
        "What vaccinations does a newborn need in the first year?",
        "How do SSRIs work against depression?",
        # case vignettes
        "A 58-year-old man comes to the emergency department with crushing chest pain radiating to his left arm for 40 minutes. He is pale and sweating. An ECG shows ST elevation in leads II, III and aVF. What is the next step?",
        "A 24-year-old woman has had fatigue, cold intolerance and weight gain for four months. Her TSH is 18 mU/L and free T4 is low. Which antibody is most likely to be found? A) anti-TPO B) anti-dsDNA C) anti-CCP D) anti-mitochondrial",
        "A 3-year-old boy is brought in with a barking cough, hoarseness and inspiratory stridor that is worse at night. What is the most likely diagnosis?",
        "A 67-year-old smoker has lost 8 kg and coughs up blood. Laboratory tests show hyponatraemia. Which tumour explains these findings?",
        "A patient with cirrhosis becomes confused and has a flapping tremor. Which drug lowers the ammonia in her blood?",
        "A nurse finds that the drainage of a postoperative wound has turned green and the temperature is 38.6 °C. What should be done first?",
        # basic science and examination style
        "Which nerve is injured in a fracture of the surgical neck of the humerus?",
        "Where in the nephron do thiazide diuretics act? A. proximal tubule B. loop of Henle C. distal convoluted tubule D. collecting duct",
        "Which of the following enzymes is deficient in phenylketonuria?",
        "Explain how the sodium-potassium pump keeps the resting potential of a neuron.",
        "Both parents carry a recessive allele. What is the chance that their child has the disease?",
        "Which hormone is produced by the islets of Langerhans, and what does it do in the liver?",
        "What is the blood supply of the stomach?",
        # research
        "Does vitamin D supplementation reduce the risk of fractures in elderly women?",
        "Is preoperative anaemia associated with longer hospital stay after hip surgery? A retrospective cohort study.",
        "Are serum biomarkers useful in predicting the outcome of patients with sepsis?",
        "Does early physiotherapy after stroke improve motor function? What do randomised trials say?",
    ],
)
