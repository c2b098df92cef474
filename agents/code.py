"""Programming, in any language."""

from moa import Agent

code = Agent(
    "code",
    model="local:qwen2.5-coder-1.5b-instruct",
    about="Programming and computer science: writing, explaining, reviewing and debugging code in any language; "
    "algorithms, data structures, databases, shells, networks, operating systems and tools.",
    instructions="You are an experienced software engineer. Give complete, correct, idiomatic code in a fenced block "
    "that names its language, with the names and signatures that were asked for, and handle the edge cases. Then "
    "explain in a sentence or two what matters. Use Python if no language is named.",
    temperature=0.1,
    max_tokens=1200,
    examples=[
        # tasks
        "Write a function that returns the second largest number in a list.",
        "Write a Python function to check whether a string is a palindrome, ignoring spaces and case.",
        "Write a python function to find the common elements of two lists of tuples.",
        "Create a JavaScript function that debounces another function by a given delay.",
        "Implement a thread-safe LRU cache in Java.",
        "Write a SQL query that lists the three best-paid employees of every department.",
        "Give me a bash one-liner that finds all files over 100 MB and sorts them by size.",
        "Write a regular expression that matches ISO dates such as 2024-05-31.",
        "Design a REST API for a library, with endpoints for books, members and loans.",
        "Generate an HTML page with a centred login form and style it with CSS.",
        "Implement depth-first search on a directed graph in Rust and return a topological order.",
        "Build a React component that shows a list of items with infinite scrolling, and keep its state in a hook.",
        "Add integration tests for a payment service in JUnit, with mocks for the bank.",
        # stubs and pasted code
        '''from typing import List


def longest_run(values: List[int]) -> int:
    """Return the length of the longest run of equal neighbours.

    >>> longest_run([1, 1, 2, 2, 2, 3])
    3
    """
''',
        '''def digit_sum(number: int) -> int:
    """Return the sum of the decimal digits of a non-negative integer."""
''',
        """Why does this loop never end?

i = 0
while i < 10:
    print(i)
""",
        """What does this program print?

#include <stdio.h>
int main(void) { int a[] = {3, 1, 2}; printf("%d", *(a + 1)); return 0; }""",
        """Complete the method:

public static int countWords(String text) {
    // returns the number of words separated by whitespace
}""",
        "Refactor this so that it does not repeat itself: if x == 1: f(a); g(a) elif x == 2: f(b); g(b)",
        # problems with input and output
        "You are given an integer n and an array a of n integers. In one move you may increase any element by 1. Print the smallest number of moves that make all elements distinct. The first line contains t, the number of test cases. Constraints: 1 <= n <= 2*10^5.",
        "Given a string s of lowercase letters, return the length of the longest substring without repeated characters. Example 1: Input: s = 'abcab' Output: 3. Constraints: 0 <= s.length <= 10^4.",
        "There is a grid with H rows and W columns, where # is a wall. Read it from standard input and print the length of the shortest path from the top left to the bottom right cell, or -1.",
        # explaining and debugging
        "I get 'TypeError: unhashable type: list' when I use a list as a dictionary key. How do I fix it?",
        "My Docker container exits at once with code 137. What does that mean?",
        "Why is my PostgreSQL query slow although there is an index on the column?",
        "My LEFT JOIN returns every customer twice. How do I get rid of the duplicate rows?",
        "The page renders before the data from fetch() has arrived, and the component stays empty. Why?",
        "How do I undo the last git commit without losing my changes?",
        "Explain the difference between a process and a thread.",
        "What is the time complexity of quicksort in the worst case, and when does it occur?",
        "What are closures, and how do they differ between Python and JavaScript?",
        "Explain how a hash table resolves collisions.",
        "When should I use async instead of threads?",
        "Explain inheritance, composition and polymorphism in object-oriented programming.",
        "What does the keyword static mean in a Java class, and in C?",
        "Review this pull request: it replaces the polling loop by a websocket with a retry and back-off.",
        # computer science
        "Which of the following is NOT a property of a relation in third normal form? A. atomic attributes B. a candidate key C. a transitive dependency D. unique rows",
        "Which value does x have after this pseudocode? x <- 9; while x > 2 do x <- x - 3 end while",
        "How does TCP make sure that packets arrive in order?",
        "What is virtual memory, and what happens on a page fault?",
        "Convert the binary number 110101 to hexadecimal and explain two's complement.",
        "How would you deploy a FastAPI service on Kubernetes behind nginx?",
        "Train a small classifier with scikit-learn and plot its confusion matrix.",
    ],
)
