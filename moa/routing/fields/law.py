"""Questions of law: everyday disputes, exam cases, clauses of contracts, doctrine."""

from __future__ import annotations

QUESTIONS = (
    "My landlord refuses to give back my security deposit and claims I damaged the carpet. What can I do?",
    "I was fired two days after telling my boss that I am pregnant. Do I have a case against the company?",
    "My ex-husband has not paid child support for a year and I want to change the custody agreement.",
    "I got a speeding ticket in another state. Will it count against my licence, and should I hire an attorney?",
    (
        "A bought a used car from a dealer who told him it had never been in an accident. A later "
        "discovered that the frame had been welded. If A sues the dealer for misrepresentation, will he "
        "most likely prevail?"
    ),
    (
        "A homeowner hired a contractor to build a porch for $9,000. Halfway through, the contractor "
        "demanded $3,000 more, and the homeowner agreed in writing. After the work was finished the "
        "homeowner refused to pay the extra amount. In an action by the contractor, who will win?"
    ),
    (
        "A defendant was charged with burglary. At trial, the prosecutor offered the testimony of a "
        "neighbor who heard the victim shout the defendant's name. The defense objected on hearsay "
        "grounds. How should the court rule?"
    ),
    (
        "Police officers stopped a driver for a broken tail light and, without consent or a warrant, "
        "searched the trunk and found cocaine. The driver moved to suppress the evidence. Should the "
        "motion be granted?"
    ),
    (
        'An owner conveyed his farm "to my sister for life, then to her children." The sister has no '
        "children yet. What interest, if any, do her unborn children have?"
    ),
    (
        "A state enacted a statute forbidding out-of-state companies from selling milk in the state. A "
        "dairy challenges the law in federal court. Which constitutional provision is the best basis "
        "for the challenge?"
    ),
    (
        "A woman pushed a man off a dock as a joke. He could not swim and drowned. She is charged with "
        "murder. What is the most serious crime of which she can be convicted?"
    ),
    (
        "A guest slipped on ice outside a hotel and sued for negligence. The hotel had posted a warning "
        "sign. Which fact, if proven, would be most helpful to the hotel's defense?"
    ),
    "What are the elements of a valid contract under common law?",
    "Explain the difference between a felony and a misdemeanor.",
    "What is the doctrine of stare decisis?",
    "Draft a mutual non-disclosure agreement between two software companies.",
    "Does this clause limit the liability of the licensor for indirect damages?",
    (
        "The Receiving Party shall not disclose any Confidential Information to third parties without "
        "prior written consent of the Disclosing Party."
    ),
    (
        "This Agreement shall be governed by and construed in accordance with the laws of the State of "
        "Delaware, without regard to conflict of law principles."
    ),
    "Can a treaty be terminated if circumstances change fundamentally?",
    "When may a state exercise universal jurisdiction over war crimes?",
    "How do I contest a will if I believe my father was pressured into signing it?",
    "The court granted summary judgment because the plaintiff failed to raise a genuine issue of material fact.",
    "My employer does not pay overtime although I work sixty hours a week. Which statute protects me?",
    "I received an eviction notice and have only five days to leave. Is that legal?",
    "My visa expires next month and my green card application is still pending. Can I be deported?",
    "What rights do I have under the GDPR to have my data deleted by a company?",
    "Our neighbor built a fence two feet onto our property twelve years ago. Can he claim adverse possession?",
    "Summarise the holding of the court and the reasoning of the dissent in this appeal.",
    "What is the burden of proof in a civil trial compared with a criminal one?",
    "Is an oral promise to sell land enforceable, or does the statute of frauds require writing?",
    "Which tort protects a person from public disclosure of private facts?",
    "According to positivist legal theory, what makes a norm a valid law?",
    (
        "A shareholder wants to bring a derivative suit against the directors for breach of fiduciary "
        "duty. What must she show?"
    ),
    (
        "My brother was arrested at a protest and the officers never read him his rights. Can his "
        "statement be used against him?"
    ),
    "I co-signed a loan for a friend who filed for bankruptcy. Can the bank come after me?",
    "A creditor holds a security interest in all inventory of a bankrupt store. Has the interest been perfected?",
    'What does "consideration" mean when two parties agree to modify an existing obligation?',
    "Under the Fourth Amendment, when does a person have a reasonable expectation of privacy?",
    "Is a person who finds lost jewelry in a shop entitled to keep it against the owner of the shop?",
    (
        "The plaintiff brought an action for trespass; the defendant pleads necessity. Is the defendant "
        "liable for the damage done?"
    ),
    "How long does copyright protection last, and can I quote a song lyric in my book?",
    "The police took my car after my cousin was caught with drugs in it. How do I get it back?",
    "Can I sue a dog owner if his dog bit my daughter in the park?",
    (
        "An attorney learned that her client intends to lie on the witness stand. What must she do "
        "under the rules of professional conduct?"
    ),
)
