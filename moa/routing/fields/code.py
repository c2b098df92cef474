"""Questions of programming: to write, read and mend code, contests, systems, tools."""

from __future__ import annotations

QUESTIONS = (
    "Write a function that reverses a linked list.",
    (
        "def running_total(values: list) -> list:\n"
        '    """ Return a list in which every entry is the sum of all entries so far.\n'
        "    >>> running_total([1, 2, 3])\n"
        "    [1, 3, 6]\n"
        '    """'
    ),
    (
        "from typing import List\n"
        "\n"
        "\n"
        "def longest_word(words: List[str]) -> str:\n"
        '    """Return the longest string of the list; on a tie return the first one.\n'
        '    >>> longest_word(["a", "bbb", "cc"])\n'
        '    "bbb"\n'
        '    """'
    ),
    "Why does my Python script raise KeyError when I read a value from a dictionary in a loop?",
    (
        "You are given an array A of N integers and Q queries. Each query gives l and r; print the "
        "minimum of A[l..r].\n"
        "\n"
        "Input\n"
        "N Q\n"
        "A_1 ... A_N\n"
        "\n"
        "Output\n"
        "Print one line per query.\n"
        "\n"
        "Constraints\n"
        "1 <= N, Q <= 200000"
    ),
    (
        "There is a grid with H rows and W columns. Takeshi starts at the top left cell and may move "
        "right or down. Some cells are blocked. Find the number of paths modulo 998244353.\n"
        "\n"
        "Input is given from Standard Input in the following format: H W, then H lines of S_i.\n"
        "\n"
        "Sample Input 1\n"
        "3 3\n"
        "...\n"
        ".#.\n"
        "...\n"
        "\n"
        "Sample Output 1\n"
        "2"
    ),
    (
        "You are given a string s consisting of lowercase letters. Return the length of the longest "
        "substring that contains at most two distinct characters.\n"
        "\n"
        "Example 1:\n"
        'Input: s = "abcabb"\n'
        "Output: 3"
    ),
    "How do I center a div horizontally and vertically with CSS flexbox?",
    "Write an SQL query that lists customers who placed more than three orders last month.",
    "What is the difference between a process and a thread in an operating system?",
    "Explain what a race condition is and how a mutex prevents it.",
    "Build a REST API with Express and TypeScript that supports login with JSON web tokens.",
    "My Docker container exits immediately with code 137. How can I find out why?",
    (
        "Refactor this class so that it follows the single responsibility principle:\n"
        "\n"
        "class Report {\n"
        "  void load() {}\n"
        "  void print() {}\n"
        "  void email() {}\n"
        "}"
    ),
    "Create a React component with a search box that debounces user input.",
    "What does git rebase --onto do, and when should I use it instead of merge?",
    "Given a binary tree, check whether it is height-balanced. What is the time complexity of your approach?",
    "Write a bash one-liner that deletes all files older than 30 days.",
    "How can I make this pandas groupby faster? It takes ten minutes on 20 million rows.",
    "Implement a least recently used cache in C++ with O(1) get and put.",
    "Write a Kubernetes deployment manifest with a liveness probe and two replicas.",
    "Which data structure is best suited for implementing a priority queue?",
    "What is the purpose of the OSI transport layer, and how do TCP and UDP differ?",
    "Write a Python class for a bank account with deposit and withdraw methods, and unit tests for it.",
    "Convert this JavaScript callback code to async/await.",
    'I get "Segmentation fault (core dumped)" when I free this pointer twice in C. What is happening?',
    "Generate a regular expression that matches IPv4 addresses.",
    "In Rust, why can't I borrow `v` as mutable more than once at a time?",
    "Design a database schema for a hotel booking system and explain the indexes you would add.",
    "```python\nfor i in range(len(xs)):\n    print(xs[i+1])\n```\nThis throws IndexError, please fix it.",
    "Which of the following sorting algorithms is stable: quicksort, heapsort or merge sort?",
    "What will the following Java program print, and why is the string comparison false?",
    "Explain how a hash table resolves collisions by open addressing.",
    "Create an HTML page with a form that validates an email address.",
    "Set up a GitHub Actions workflow which runs pytest on every pull request.",
    "What is a buffer overflow attack and how do stack canaries protect against it?",
    "Write a Godot script that makes the player jump and double jump.",
    "How would you train a convolutional neural network in PyTorch on a small image data set?",
    "I have a Terraform state that drifted from my cloud resources; how do I reconcile it?",
    "Implement Dijkstra's algorithm with a heap and return the shortest distances from a source node.",
    "Design a distributed rate limiter for a service with ten thousand requests per second.",
    "Is the halting problem decidable? Describe the reduction in terms of a Turing machine.",
    "Add type hints and docstrings to the following function and return only the code.",
    "import numpy as np\n\ndef normalise(x):\n    # TODO: scale the columns of x to zero mean and unit variance",
    "Write an Excel VBA macro that copies every second row to a new sheet.",
    "Craft a routine which accepts an array of integers and yields the tally of those exceeding their predecessor.",
    "Devise a procedure in C++ that ascertains whether a singly linked list contains a cycle.",
    "You possess a zero-indexed matrix grid. In one operation you may swap two rows. Return the fewest operations.",
    (
        "What is the worst-case complexity of inserting an element into a balanced search tree?\n\n"
        "A. O(1)\nB. O(log n)\nC. O(n)"
    ),
    "Which layer of the network stack is responsible for routing packets between hosts?",
    "What does the kernel preserve when it switches from one process to another?",
    "Two threads each hold a lock that the other one awaits. What is this situation called?",
    "Which of these is true of symmetric encryption?\n\nA. one key is shared\nB. keys are public\nC. no key is needed",
    "A host sends 4 MB over a link of 2 Mbps. How does the TCP window limit the throughput?",
    "Which instruction transfers the content of a register to memory in this assembly listing?",
    "Elucidate how a compiler resolves overloaded functions in the presence of templates.",
    "Does a decision tree of depth one overfit less than a deep neural network?\n\nA. True\nB. False",
)
