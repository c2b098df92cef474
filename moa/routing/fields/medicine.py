"""Questions of medicine: patients, symptoms, exam cases, research, how the body works."""

from __future__ import annotations

QUESTIONS = (
    (
        "A 58-year-old man comes to the emergency department with crushing chest pain that radiates to "
        "his left arm. An ECG shows ST elevation in leads II, III and aVF. Which artery is most likely occluded?"
    ),
    (
        "A 23-year-old woman presents with fatigue, weight gain and cold intolerance. Her TSH is "
        "raised. What is the most appropriate treatment?"
    ),
    (
        "A 4-year-old boy is brought to the physician because of a barking cough and noisy breathing "
        "for two days. His temperature is 38.2 C. What is the most likely diagnosis?"
    ),
    (
        "A 67-year-old smoker has had blood in his sputum for three weeks. Laboratory studies show a "
        "sodium of 124 mEq/L. Which of the following is the most likely cause?"
    ),
    (
        "A researcher studies a new enzyme inhibitor in patients with gout. Which step of purine "
        "metabolism does it block?"
    ),
    (
        "A 31-year-old woman at 34 weeks of gestation has a headache and blood pressure of 165/110 mm "
        "Hg. What is the next best step in management?"
    ),
    (
        "A newborn fails to pass meconium within 48 hours. Biopsy of the rectum shows no ganglion "
        "cells. What is the diagnosis?"
    ),
    "What are the symptoms of type 2 diabetes?",
    "Is it safe to take ibuprofen together with aspirin?",
    "Drug of choice for absence seizures is",
    "Which nerve is injured in a fracture of the neck of the fibula?",
    "Most common site of metastasis in prostate cancer",
    "My ankle has been swollen for a week and it hurts when I climb stairs. Should I see a doctor?",
    "I have had a headache behind one eye every evening this week. What could it be?",
    "What are the side effects of metformin?",
    "What vaccines does a six month old baby need?",
    "How is celiac disease diagnosed?",
    "Does early physiotherapy shorten hospital stay after hip replacement?",
    "Is vitamin D deficiency associated with depression in older adults: a cohort study?",
    "Explain how ACE inhibitors lower blood pressure.",
    "What is the mechanism of action of warfarin and how is its effect reversed?",
    "Which of the following bacteria is a gram-positive coccus that is coagulase positive?",
    "Describe the blood supply of the stomach.",
    "Which chromosome abnormality causes Klinefelter syndrome?",
    "What is the inheritance pattern of cystic fibrosis?",
    "How do you measure central venous pressure, and what is the normal range?",
    "A dentist finds a radiolucent lesion at the apex of a non-vital tooth. What is the likely diagnosis?",
    "What is the recommended dose of paracetamol for a child who weighs 18 kg?",
    "How should a nurse care for a patient with a pressure ulcer?",
    "What is the difference between a viral and a bacterial infection?",
    "Can stress cause irritable bowel syndrome?",
    "The cells lining the alveoli that produce surfactant are",
    "In a patient with cirrhosis and ascites, which diuretic is preferred?",
    "Which vitamin deficiency leads to scurvy?",
    "Write a discharge summary for a patient treated for community acquired pneumonia.",
    "How does chemotherapy differ from immunotherapy in the treatment of melanoma?",
    "An athlete tears the anterior cruciate ligament. Which physical examination manoeuvre is most sensitive?",
    "What foods should people with kidney disease avoid?",
    "Are antidepressants effective for chronic lower back pain? Review the clinical evidence.",
    "A patient with schizophrenia develops fever and muscle rigidity after starting haloperidol. What is happening?",
    "Name the tumour marker used to follow patients with ovarian carcinoma.",
    "During which phase of the cardiac cycle does the aortic valve open?",
    "What is the prognosis of Guillain-Barre syndrome?",
    "My father has Parkinson's disease and his hands shake more in the morning. Is his medication too low?",
    "A physical exam shows a holosystolic murmur at the apex that radiates to the axilla. Which valve is affected?",
    "Which malady is signified by a butterfly-shaped eruption upon the cheeks and aching joints?",
    "Is the administration of aspirin prior to surgery associated with an augmented risk of bleeding?",
    "Ascertain the remedy of choice for an individual afflicted with an acute attack of gout.",
    (
        "Which nerve is imperilled by a fracture of the shaft of the humerus?\n\n"
        "A. radial\nB. ulnar\nC. median\nD. axillary"
    ),
    "Do expectant mothers who exercise regularly experience shorter labour? A cohort of 214 women was examined.",
    "Which hormone is secreted by the beta cells of the pancreas?",
    "To what extent do hospital stays differ between patients treated with either of the two procedures?",
    "What precautions ought one to observe when nursing a patient with active tuberculosis?",
    "An elderly gentleman complains of breathlessness at night and swollen ankles. What is the likeliest diagnosis?",
)
