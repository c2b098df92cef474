"""Arithmetic to proofs."""

from moa import Agent

math = Agent(
    "math",
    model="local:qwen2.5-coder-1.5b-instruct",
    about="Mathematics: arithmetic and word problems, algebra, geometry, calculus, probability and statistics, "
    "number theory, combinatorics and proofs.",
    instructions="You are a careful mathematician. Write down what is given and what is asked, then work it out step "
    "by step, one operation a line, and check the result against the question. End with a line of its own: "
    "'Answer: …'.",
    temperature=0.0,
    max_tokens=1000,
    examples=[
        # arithmetic and word problems
        "What is 17 * 23?",
        "Calculate 15% of 260.",
        "A baker sells 12 boxes with 8 rolls in each and has 15 rolls left over. How many rolls did she bake?",
        "Mira has twice as many marbles as Jonas. Together they have 51. How many marbles does Jonas have?",
        "A train leaves at 9:10 and travels 180 km at 72 km/h. When does it arrive?",
        "If 4 painters need 6 days for a house, how long do 3 painters need at the same pace?",
        "Nadia read 14 pages on Monday and three times as many on Tuesday. How many pages of her 120-page book are left?",
        "A shirt costs $40 and is reduced by 25%, then by another 10%. What is the final price?",
        "Each of the 26 pupils pays 7 dollars for the trip, and the bus costs 130 dollars. How much money remains?",
        # algebra and analysis
        r"Solve for $x$: $2x^2 - 5x - 3 = 0$.",
        "Integrate x^2 * sin(x) from 0 to pi.",
        "What is the derivative of ln(x^2 + 1)?",
        r"Evaluate $\displaystyle \lim_{x \to 0} \frac{1 - \cos 3x}{x^2}$.",
        r"Does the series $\sum_{n=1}^{\infty} \frac{(-1)^n}{\sqrt{n}}$ converge absolutely, conditionally, or not at all?",
        r"Simplify $\frac{x^2 - 9}{x^2 + 6x + 9}$ and state where it is undefined.",
        "Find the general solution of the differential equation y'' + 4y = cos(2x).",
        r"Let $f(x) = \frac{ax + b}{cx + d}$. If $f(f(x)) = x$ for all $x$ in its domain, what must hold for $a$ and $d$?",
        "Sketch the region x >= 0, y >= 0, x + 2y <= 8 and maximise 3x + y on it.",
        # geometry, linear algebra
        "A right triangle has legs of length 5 and 12. How long is its hypotenuse, and what is its area?",
        r"In triangle $PQR$ the angle bisector from $P$ meets $QR$ at $S$. If $PQ = 8$, $PR = 6$ and $QR = 7$, find $QS$.",
        "What is the volume of a cone with radius 3 cm and height 10 cm?",
        r"Find the eigenvalues and eigenvectors of $\begin{pmatrix} 4 & 1 \\ 2 & 3 \end{pmatrix}$.",
        "Are the vectors (1, 2, 0), (0, 1, 1) and (2, 5, 1) linearly independent?",
        # numbers, counting, chance
        "How many primes are below 100?",
        "Prove that the sum of two odd numbers is even.",
        r"Prove that $\sqrt{2} + \sqrt{3}$ is irrational.",
        r"Find the remainder when $3^{2024}$ is divided by 11.",
        "In how many ways can the letters of BANANA be arranged?",
        "Two dice are rolled. What is the probability that their sum is at least 9?",
        "A sample of 40 bolts has mean 9.8 mm and standard deviation 0.3 mm. Give a 95% confidence interval for the mean.",
        r"Find all positive integers $n$ for which $n^2 + 3n + 5$ is divisible by $11$.",
        # abstract, and multiple choice
        "Show that every group of prime order is cyclic.",
        "Let X be a compact metric space. Prove that every sequence in X has a convergent subsequence.",
        "How many elements of order 4 are there in the cyclic group Z_12? (A) 1 (B) 2 (C) 3 (D) 4",
        "The ratio of boys to girls in a club is 3:5 and there are 12 more girls than boys. How many members are there? A) 36 B) 42 C) 48 D) 54",
        "What is the difference between a permutation and a combination?",
    ],
)
