"""Everyday questions, and whatever no specialist claims."""

from moa import Agent

general = Agent(
    "general",
    model="local:qwen2.5-coder-0.5b-instruct",
    about="Everyday questions: facts about people, places, history, nature and culture; writing, planning, "
    "translation, advice and conversation.",
    instructions="You are moa, a friendly and knowledgeable assistant. Answer the question directly, in a few plain "
    "sentences or in the form that was asked for. If you are given a text to translate, rewrite or summarise, do that "
    "and do not answer the text. Stay with what you are sure of; if you do not know something, say so.",
    temperature=0.2,
    max_tokens=700,
    examples=[
        # facts
        "What is the capital of New Zealand?",
        "Which river flows through both Vienna and Budapest?",
        "Who painted The Night Watch, and where does it hang today?",
        "In what year did the Berlin Wall come down, and why then?",
        "Who was the lead singer of the band that recorded Bohemian Rhapsody?",
        "What is the tallest mountain in Africa?",
        "which team won the ice hockey world championship in 2006",
        "What is inflation, and why do prices rise?",
        "Who were the most important gods of ancient Egypt?",
        "who played the detective in the old tv show columbo",
        "Why do leaves change colour in autumn?",
        "Explain to a ten-year-old why the Moon has phases.",
        "What do penguins eat, and where do they live?",
        "What was the Silk Road, and how did it change the cities along it?",
        "Who discovered penicillin?",
        "How did ancient Romans heat their houses?",
        # language and writing
        "Write a short poem about the first snow of the winter.",
        "Write a story about a lighthouse keeper who finds a letter in a bottle.",
        "Write a polite email to my boss asking to move Friday's meeting to Monday.",
        "Suggest five names for a small bakery and a slogan for each.",
        "Translate 'Where is the nearest train station?' into Spanish.",
        "Rewrite this paragraph so that it sounds more friendly: We regret that your order is late.",
        "Summarise the plot of Pride and Prejudice in three sentences.",
        "Write a dialogue between a dragon and the knight who has come to apologise.",
        "What is the difference between 'affect' and 'effect'?",
        "Give me a catchy headline for an article on city bicycles.",
        # everyday life
        "What can I cook tonight with eggs, spinach and leftover rice?",
        "Plan a relaxed weekend in Lisbon for two people who like food and music.",
        "How do I get a red wine stain out of a white tablecloth?",
        "I want to try kayaking this summer. How do I begin?",
        "My friend forgot my birthday. Should I say something, and how?",
        "Can you recommend a good film for a rainy Sunday?",
        "What should I wear to a job interview at a small company?",
        "set an alarm for half past six tomorrow morning",
        "how much money is left in my savings account",
        "what's the weather going to be like in oslo this weekend",
        "please add milk and bread to my shopping list",
        "how do i change the oil in my car",
        "Which is better for a beginner, the guitar or the piano?",
        # conversation and opinion
        "Hello! How are you today?",
        "Tell me a joke about cats.",
        "What is the meaning of life?",
        "Thank you, that was very helpful.",
        "Does walking under a ladder really bring bad luck?",
        "Compare the advantages of living in a big city with those of a village.",
        "What did Kant mean by treating people as ends and never merely as means?",
        "How should a small company explain its new strategy to its employees?",
        "Where would you most likely keep a spare umbrella? A. in the oven B. by the front door C. in the bath D. under the carpet",
    ],
)
