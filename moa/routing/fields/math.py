"""Questions of mathematics: sums in words, school algebra, contests, proofs."""

from __future__ import annotations

QUESTIONS = (
    "What is 17 percent of 340?",
    "Solve for x: 3x^2 - 7x + 2 = 0",
    "Prove that the square root of 5 is irrational.",
    "Let $a_n$ be a sequence with $a_1 = 2$ and $a_{n+1} = 3a_n - 1$. Find a closed form for $a_n$.",
    "Evaluate $\\int_0^{\\pi/2} \\sin^3 x \\cos x \\, dx$.",
    "How many ways can six people sit around a round table if two of them refuse to sit together?",
    (
        "A train leaves the depot at 60 km per hour and a second one follows an hour later at 90 km per "
        "hour. When does the second catch up?"
    ),
    "Tom had 24 stickers, gave away a third of them and then bought 9 more. How many stickers does he have now?",
    "There are 12 rows of chairs with 15 chairs in each row. If 38 chairs are empty, how many people are seated?",
    "Find the area of a triangle with sides 7, 8 and 9.",
    "Let $ABCD$ be a cyclic quadrilateral whose diagonals meet at $P$. Show that $PA \\cdot PC = PB \\cdot PD$.",
    "What is the remainder when $7^{2023}$ is divided by 13?",
    "Find all functions $f:\\mathbb{R}\\to\\mathbb{R}$ such that $f(x+y) = f(x) + f(y) + 2xy$ for all real x and y.",
    "A fair die is rolled four times. What is the probability that at least one six appears?",
    "Compute the determinant of the matrix $\\begin{pmatrix} 2 & 1 \\\\ 5 & 3 \\end{pmatrix}$.",
    "Explain the difference between a permutation and a combination with an example.",
    "Is the group of integers modulo 8 under multiplication cyclic? Justify your answer.",
    "Find the eigenvalues of a 3 by 3 rotation matrix.",
    "Simplify the expression (2x^3 y)^2 / (4 x y^3).",
    "What is the derivative of ln(x^2 + 1)?",
    "Determine whether the series sum of 1/(n log n) converges.",
    "Let G be a finite group of order 21. How many Sylow 7-subgroups does it have?",
    (
        "Suppose that X is a compact Hausdorff space. Prove that every continuous bijection from X to a "
        "Hausdorff space is a homeomorphism."
    ),
    "A rectangle has perimeter 46 and diagonal 17. What is its area?",
    "If 5 workers can paint a house in 8 days, how long will 10 workers take?",
    "Find the smallest positive integer n such that n! is divisible by 1000.",
    "The average of five numbers is 18. If one number is removed the average becomes 16. Which number was removed?",
    "What does the central limit theorem say, and how is it derived from moment generating functions?",
    "Convert the point (3, -3) from rectangular to polar coordinates.",
    "A shop sells pens at 3 for 2 dollars. How much do 21 pens cost?",
    "Let $p$ be an odd prime. Prove that the number of quadratic residues modulo $p$ is $(p-1)/2$.",
    "Give an epsilon-delta proof that f(x) = x^2 is continuous at x = 2.",
    "How many more apples does Lena have than Omar if Lena picked 57 and Omar picked 29?",
    "Graph the inequality y > 2x - 3 and describe the region.",
    "What is the volume of the solid obtained by rotating y = sqrt(x) about the x-axis from 0 to 4?",
    "A set has 10 elements. How many of its subsets contain an even number of elements?",
    "Find the maximum of xy subject to x^2 + 4y^2 = 8 using Lagrange multipliers.",
    (
        "Define $f(x) = \\lfloor x \\rfloor + \\lfloor 2x \\rfloor$. How many values does $f$ take for $0 "
        "\\le x \\le 10$?"
    ),
    "Sam is twice as old as his sister was four years ago. Their ages add up to 26. How old is Sam?",
    "What is the sum of the interior angles of a regular decagon?",
    "Write 0.272727... as a fraction.",
    "A jar holds red, blue and green beads in the ratio 2:3:5, and there are 40 beads in total. How many are blue?",
    "Find the general solution of the differential equation y'' - 4y' + 4y = e^{2x}.",
    "What is the expected number of coin flips needed to see two heads in a row?",
    (
        "In the coordinate plane, a circle is tangent to both axes and passes through the point (8, 1). "
        "Find the possible radii."
    ),
    "Ascertain the quantity of positive integers not exceeding one thousand that are divisible by neither 3 nor 5.",
    "A merchant procured 14 crates, each containing 25 oranges, and parted with two fifths thereof. How many remain?",
    "Within a coop there dwell hens and rabbits, possessing in sum 35 heads and 94 feet. Determine the number of hens.",
    "Evaluate the expectation of the greater of two independent exponential variables of unit rate.",
    "Every ideal of the ring of integers is principal. True or false?\n\nA. True\nB. False",
    "What value does the sequence a(n) = (1 + 3/n)^n approach as n grows without bound?",
    "Given that P(A) = 0.3 and P(B|A) = 0.5, deduce the probability that both occur.",
    "Siblings divide 84 marbles in the ratio 3 : 4. What portion does the younger one receive?",
    "A culture of 500 cells doubles every 3 hours. In what time will there be 16,000 of them?",
    "Compute the interest upon a loan of $4,800 at 7.5% over a term of 90 days.",
    "How fast does a body fall after 4 seconds, if it accelerates at 9.8 m/s^2 from rest?",
)
