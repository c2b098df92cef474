"""The words that instructions about answering are made of, whatever is asked.

They are the English of forms and exams, with its synonyms. No subject has them to itself.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _with_plurals(text: str) -> frozenset[str]:
    singular = _words(text)
    plural = {
        f"{word[:-1]}ies" if word.endswith("ry") else f"{word}es" if word.endswith("x") else f"{word}s"
        for word in singular
    }
    return singular | plural


SPOKEN_OF = _with_plurals(
    """
    answer response reply solution question inquiry enquiry query interrogative interrogation option choice alternative
    selection explanation elucidation rationale justification reasoning commentary feedback clarification
    assistant
    """
)
"""What only such instructions speak of."""

BESIDE = _with_plurals(
    """
    letter word sentence statement paragraph line bullet character token format form box bracket brace template schema
    markdown latex json xml html yaml tag result output conclusion verdict problem prompt request instruction task
    candidate possibility thought step detail preamble context passage excerpt information material document background
    backdrop remark comment critique resolution puzzle chatbot ai helpful honest harmless knowledgeable
    """
)
"""What they speak of beside: a subject may have these too."""

LABELS = _with_plurals(
    """
    question inquiry enquiry query interrogative interrogation problem prompt request instruction task option choice
    alternative selection answer response reply solution statement user human system assistant q context
    background backdrop passage document text excerpt information hint scenario situation setting
    """
)
"""Names of the parts of a prompt."""

HEADINGS = LABELS | _words("input inputs output outputs")
"""The same for headings; before a colon, these are as often part of a question about a program."""

NOTHING = frozenset(
    {
        *("none", "no", "n/a", "na", "nil", "null", "nothing", "absent", "empty", "missing", "blank", "unavailable"),
        *("not given", "not provided", "not available", "not applicable", "not specified", "unspecified"),
        *("non-specific", "inapplicable", "none given", "none provided", "no context", "void", "nonexistent"),
    }
)
"""What stands in a part that is empty."""

TALK = (
    SPOKEN_OF
    | BESIDE
    | LABELS
    | _words(
        """
        a an the this that these those it its your yours you i me my we us our one ones each every any all both some
        such his her their them they he she who whom which what where when how why whether there here and or but nor so
        if then than as of in on at by for from to into onto with within without among amongst amidst about above below
        under over between before after during until per via upon inside outside through underneath beneath
        is are was were be been being am do does did done has have had having can could may might must shall should
        will would need needs not no don't can't cannot let let's only just solely merely simply also too very well
        always never please kindly carefully closely thoroughly directly clearly briefly precisely exactly strictly
        explicitly correctly accurately lucidly lucid meticulously diligently attentively concisely succinctly
        """
    )
    | _words(
        """
        read reads reading peruse examine review consider contemplate evaluate assess analyze analyse study scrutinize
        look see provide give gives given supply deliver submit render furnish indicate state say tell write put place
        present presented convey return respond reply answering solve resolve select selected selecting choose chosen
        choosing pick identify identifying determine decide discern ascertain find use using used utilize utilizing
        employ follow follows following ensuing subsequent next listed available provided supplied attached enclosed
        mentioned keep limit confine restrict contain retain maintain hold ensure ensuring make include including add
        avoid show start begin end finish conclude concluding wrap enclose express exhibit formatted represent
        representing represents signify signifies symbolize symbolizing denote denoting indicating designate predicated
        based according relying rely matching match corresponding explain elucidate think help know complete completing
        contained being encased pertaining
        """
    )
    | _words(
        """
        correct right accurate precise proper appropriate suitable exact true best most likely plausible probable common
        prevalent final conclusive definitive ultimate single sole short brief concise succinct detailed thorough
        complete full entire necessary relevant important possible first second last other another own same different
        several multiple many few more less least much maximum minimum max min up set list pair series number numbered
        numerical numeric mathematical expression figure value numeral lettered alphabetical uppercase lowercase capital
        plain bold valid professional expert careful ai model language two three
        four five six seven eight nine ten hundred content end data string object yes example instance sequential
        methodical manner way style curly square boxed
        """
    )
)
"""Words that may stand in a sentence about answering without giving it a subject."""
