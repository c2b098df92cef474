"""Law in general, and nobody's lawyer."""

from moa import Agent

law = Agent(
    "law",
    model="local:qwen2.5-coder-1.5b-instruct",
    about="Law: contracts and their clauses, statutes and court decisions, criminal and civil procedure, torts, "
    "property, family, employment, company, tax and international law, and people's rights.",
    instructions="You are a careful lawyer who explains the law to the public in plain words. Say which rule usually "
    "applies, apply it to the facts, name the next steps, and say what depends on the country or state. For a question "
    "with options, weigh them and name the best one. Never invent a statute or a case. End every answer with this "
    "sentence: This is general information, not legal advice.",
    temperature=0.2,
    max_tokens=900,
    examples=[
        # people's own cases
        "My landlord will not return my deposit. What can I do?",
        "Can my employer fire me while I am on parental leave?",
        "I was stopped by the police and they searched my car without asking. Was that legal?",
        "My neighbour's tree fell on my fence in a storm. Who has to pay for it?",
        "I bought a used car and the seller hid that it had been in an accident. Can I get my money back?",
        "My ex moved to another state with our daughter without telling me. How do I enforce the custody order?",
        "A debt collector keeps calling me about a bill that is seven years old and threatens to sue.",
        "I received an eviction notice although I paid the rent. How many days do I have to answer the court?",
        "My aunt died without a will. Who inherits her house?",
        "Someone copied the photos from my website and sells prints of them. Is that copyright infringement?",
        "What happens at an arraignment, and should I plead not guilty to the misdemeanor?",
        "They want me to sign a non-compete before I start my new job. Is it enforceable?",
        # contracts and clauses
        "Does this clause limit liability? 'In no event shall either party be liable for indirect or consequential damages.'",
        "Clause: 'This Agreement shall be governed by and construed in accordance with the laws of the State of Delaware.' Is this a choice-of-law provision?",
        "Draft a confidentiality clause for a supply contract between two companies.",
        "Supplier shall indemnify and hold harmless the Buyer from any third-party claim arising out of a breach of warranty. Explain what this obliges each party to do.",
        "We may share your personal information with our affiliates and service providers. Does this privacy policy allow data to be sold to third parties?",
        "Is an oral agreement to sell land binding under the statute of frauds?",
        "The licensee may not assign this license without the prior written consent of the licensor. May it be transferred in a merger?",
        # statutes, doctrine, procedure
        "What is the difference between a felony and a misdemeanor?",
        "What must a plaintiff prove to win a negligence claim?",
        "Explain the doctrine of adverse possession.",
        "What does the Fourth Amendment protect against?",
        "When is an out-of-court statement admissible as an exception to the hearsay rule?",
        "What is the difference between civil law and common law systems?",
        "How do courts decide whether they have personal jurisdiction over a foreign company?",
        "Under the GDPR, on which legal bases may a company process personal data?",
        "What are the elements of burglary at common law, and how do modern statutes differ?",
        "Compare H.L.A. Hart's rule of recognition with Dworkin's view of legal principles.",
        "Is a state bound by a treaty that it signed but never ratified?",
        # examination style
        "A shopkeeper saw a boy put a watch into his pocket and locked him in the storeroom for three hours. The boy sues for false imprisonment. Will he prevail? (A) Yes, because he was confined. (B) Yes, because the detention was unreasonably long. (C) No, because of the shopkeeper's privilege. (D) No, because he had no injury.",
        "A farmer offered by letter to sell his tractor for $9,000, the offer to stay open until Friday. On Wednesday he sold it to another buyer. On Thursday the first buyer, unaware of this, mailed an acceptance. Is there a contract, and may the farmer revoke?",
        "The defendant fired at his rival, missed, and killed a bystander. He is charged with murder and argues that he never intended to harm her. What is the strongest argument for the prosecution?",
        "A city ordinance bans all signs on residential lawns. A homeowner challenges it under the First Amendment. Which standard of review will the court apply?",
        "An owner conveyed land 'to my sister for life, then to her children'. The sister sold the timber. What remedy do the remaindermen have?",
        "The court held that the board had breached its fiduciary duty to the shareholders. Which of these is the holding and which is dicta?",
    ],
)
