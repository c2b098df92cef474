from __future__ import annotations

import code
import math
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from moa.errors import AgentError, LoadError
from moa.loader import load_agents, load_mixture, starter_folder

HEAD = 'from moa import Agent, Mixture\nMODEL = "http://127.0.0.1:9/v1#model"\n'
MATH = f'{HEAD}math = Agent("math", model=MODEL, about="numbers")\n'
CODE = f'{HEAD}code = Agent("code", model=MODEL, about="programs")\n'
STARTER = """
    from moa import Mixture
    from .code import code
    from .math import math
    starter = Mixture([math, code], name="the starter", fallback="code")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; paths in messages are relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text), encoding="utf-8")
    return file


def names(spec: str | Path | None) -> list[str]:
    return [agent.name for agent in load_mixture(spec).agents]


# --- A file ---


def test_a_file_stands_for_the_one_mixture_in_it() -> None:
    write("team.py", f'{HEAD}team = Mixture([Agent("a", model=MODEL)], name="team of one")\n')
    assert load_mixture("team.py").name == "team of one"


def test_a_path_object_will_do_as_well() -> None:
    assert names(write("math.py", MATH)) == ["math"]


def test_a_file_of_agents_alone_makes_a_mixture_of_them_named_after_the_file() -> None:
    write("pair.py", f'{HEAD}a = Agent("a", model=MODEL)\nb = Agent("b", model=MODEL, about="bees")\n')
    mixture = load_mixture("pair.py")
    assert mixture.name == "pair"
    assert [agent.name for agent in mixture.agents] == ["a", "b"]


def test_agents_in_a_list_count() -> None:
    write("many.py", f'{HEAD}agents = [Agent(f"a{{n}}", model=MODEL, about=f"field {{n}}") for n in range(3)]\n')
    assert names("many.py") == ["a0", "a1", "a2"]


def test_private_agents_and_mixtures_do_not_count() -> None:
    write(
        "x.py", f'{HEAD}_base = Agent("base", model=MODEL)\n_m = Mixture([_base])\nx = _base.using("openai/gpt-4o")\n'
    )
    assert load_mixture("x.py").agents[0].backend.reference == "openai/gpt-4o"


def test_one_of_several_mixtures_must_be_named() -> None:
    write(
        "two.py", f'{HEAD}a = Agent("a", model=MODEL)\nfast = Mixture([a], name="f")\nbest = Mixture([a], name="b")\n'
    )
    with pytest.raises(LoadError, match=r"2 mixtures. Say which: two\.py:fast or two\.py:best"):
        load_mixture("two.py")
    assert load_mixture("two.py:best").name == "b"


def test_one_mixture_under_two_names_is_one_mixture() -> None:
    write("x.py", f'{HEAD}first = Mixture([Agent("a", model=MODEL)])\nsecond = first\n')
    assert names("x.py") == ["a"]


def test_a_single_agent_can_be_named() -> None:
    write("pair.py", f'{HEAD}a = Agent("a", model=MODEL)\nb = Agent("b", model=MODEL, about="bees")\n')
    assert names("pair.py:b") == ["b"]


def test_a_mixture_made_from_an_imported_one_comes_before_it() -> None:
    write("agents/math.py", MATH)
    write("agents/base.py", f'{HEAD}from .math import math\nbase = Mixture([math], name="base")\n')
    write("agents/more.py", f'{HEAD}from .base import base\nmore = Mixture(base.agents, name="more")\n')
    assert load_mixture("agents/more.py").name == "more"


def test_what_is_only_imported_counts_where_there_is_nothing_else() -> None:
    write("agents/math.py", MATH)
    write("agents/code.py", CODE)
    write("agents/both.py", "from .math import math\nfrom .code import code\n")
    assert names("agents/both.py") == ["math", "code"]


def test_a_list_may_hold_imported_agents_and_own_ones() -> None:
    write("agents/math.py", MATH)
    write("agents/team.py", f'{HEAD}from .math import math\nown = Agent("own", model=MODEL)\nteam = [math, own]\n')
    assert names("agents/team.py") == ["own", "math"]


def test_a_file_may_have_any_name_that_ends_in_py() -> None:
    write("my team v1.2.py", MATH)
    assert names("my team v1.2.py") == ["math"]


# --- A folder ---


def test_a_folder_stands_for_the_mixture_in_its_starter_file() -> None:
    write("panel/math.py", MATH)
    write("panel/code.py", CODE)
    write("panel/starter.py", STARTER)
    mixture = load_mixture("panel")
    assert (mixture.name, mixture.fallback) == ("the starter", "code")


def test_without_a_starter_file_it_stands_for_all_its_agents() -> None:
    write("panel/math.py", MATH)
    write("panel/code.py", CODE)
    write("panel/cloud.py", f'{HEAD}cloud = Mixture([Agent("cloud", model="openai/gpt-4o")])\n')
    write("panel/_shared.py", f'{HEAD}hidden = Agent("hidden", model=MODEL)\n')
    mixture = load_mixture("panel")
    assert mixture.name == "panel"
    assert [agent.name for agent in mixture.agents] == ["code", "math"]
    assert [agent.name for agent in load_agents("panel")] == ["code", "math"]


def test_an_agent_that_several_files_import_is_one_agent() -> None:
    write("panel/math.py", MATH)
    write(
        "panel/a_first.py", f'{HEAD}from .math import math\nfirst = Agent("first", model=MODEL)\nall = [math, first]\n'
    )
    write("panel/z_last.py", "from .math import math\n")
    assert names("panel") == ["first", "math"]


def test_two_files_with_agents_of_the_same_name_are_an_error_that_names_both() -> None:
    write("panel/math.py", MATH)
    write("panel/sums.py", MATH)
    with pytest.raises(LoadError, match=r"panel/math\.py and panel/sums\.py both define an agent called 'math'"):
        load_mixture("panel")


@pytest.mark.parametrize("load", [load_mixture, load_agents])
def test_a_folder_without_agents_is_an_error_that_says_how_to_begin(load: object) -> None:
    write("panel/readme.txt", "Nothing here.")
    with pytest.raises(LoadError, match=r"No file in the folder panel defines an agent.*moa init"):
        load("panel")  # type: ignore[operator]


# --- Nothing ---


def test_nothing_stands_for_the_agents_folder_here() -> None:
    write("agents/math.py", MATH)
    assert names(None) == ["math"]


def test_an_agents_folder_without_python_files_is_somebody_elses() -> None:
    write("agents/smith.txt", "This is an estate agency.")
    starter = load_mixture(None)
    assert [agent.name for agent in starter.agents] == [agent.name for agent in load_mixture(starter_folder()).agents]


def test_without_one_it_stands_for_the_starter() -> None:
    assert {agent.name for agent in load_mixture().agents} >= {"general", "math", "code", "law", "medicine"}


def test_a_broken_agents_folder_is_an_error_and_not_the_starter() -> None:
    write("agents/math.py", "oops =")
    with pytest.raises(LoadError, match=r"agents/math\.py, line 1"):
        load_mixture()


# --- How files are run ---


def test_files_import_each_other_and_the_standard_library_stays_in_place() -> None:
    write("agents/math.py", MATH)
    write("agents/code.py", CODE + "import math\nassert math.pi > 3\n")
    write("agents/starter.py", STARTER)
    assert names(None) == ["math", "code"]
    assert sys.modules["math"] is math
    assert sys.modules["code"] is code
    assert str(Path("agents").resolve()) not in sys.path


def test_each_file_runs_once_even_if_several_import_it() -> None:
    write("agents/math.py", f"{MATH}\nwith open('ran', 'a') as ran:\n    ran.write('x')\n")
    write("agents/one.py", "from .math import math\n")
    write("agents/two.py", "from .math import math\n")
    load_agents("agents")
    assert Path("ran").read_text() == "x"


def test_what_was_edited_counts_at_the_next_load_however_quick_the_edit() -> None:
    write("agents/math.py", MATH)
    write("agents/starter.py", 'from .math import math\nfrom moa import Mixture\nstarter = Mixture([math], name="1")\n')
    for word in ("aaaa", "bbbb", "cccc"):  # of the same length, within the same second
        write("agents/math.py", MATH.replace("numbers", word))
        assert load_mixture().agents[0].about == word


def test_a_file_that_appears_later_is_found() -> None:
    write("agents/starter.py", STARTER)
    write("agents/math.py", MATH)
    with pytest.raises(LoadError, match=r"agents/starter\.py, line 3: ModuleNotFoundError: No module named '\.code'"):
        load_mixture()
    write("agents/code.py", CODE)
    assert names(None) == ["math", "code"]


def test_module_names_stay_the_same_from_load_to_load() -> None:
    write("agents/math.py", MATH)
    load_mixture()
    loaded = {name for name in sys.modules if name.startswith("moa_workspace_")}
    load_mixture()
    assert {name for name in sys.modules if name.startswith("moa_workspace_")} == loaded


def test_folders_with_files_of_the_same_name_are_kept_apart() -> None:
    write("one/math.py", MATH.replace("numbers", "one"))
    write("two/math.py", MATH.replace("numbers", "two"))
    assert [load_mixture(folder).agents[0].about for folder in ("one", "two", "one")] == ["one", "two", "one"]


def test_no_bytecode_is_left_in_the_folder() -> None:
    write("agents/math.py", MATH)
    write("agents/starter.py", "from .math import math\nfrom moa import Mixture\nstarter = Mixture([math])\n")
    load_mixture()
    assert sorted(entry.name for entry in Path("agents").iterdir()) == ["math.py", "starter.py"]


# --- What goes wrong ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nif x\n", r"^broken\.py, line 2 is not valid Python: expected ':'\.$"),
        ("def f():\nreturn 1\n", r"^broken\.py, line 2 is not valid Python: expected an indented block.*$"),
        ("x = 1\ny = x / 0\n", r"^broken\.py, line 2: ZeroDivisionError: division by zero$"),
        ("def f():\n    raise KeyError('k')\n\nf()\n", r"^broken\.py, line 2: KeyError: 'k'$"),
        ("import json\njson.loads('{')\n", r"^broken\.py, line 2: JSONDecodeError: .*$"),
        ("import nosuchthing\n", r"^broken\.py, line 1: ModuleNotFoundError: No module named 'nosuchthing'$"),
        ("raise RuntimeError\n", r"^broken\.py, line 1: RuntimeError was raised\.$"),
        ("import sys\nsys.exit(3)\n", r"^broken\.py, line 2: SystemExit: 3$"),
        (f"{HEAD}a = Agent('not a name', model=MODEL)\n", r"^broken\.py, line 3: 'not a name' cannot be an agent's"),
        (f"{HEAD}a = Agent('a', model='local:nope')\n", r"^broken\.py, line 3: .*nope"),
        (f"{HEAD}m = Mixture([])\n", r"^broken\.py, line 3: A mixture needs at least one agent\.$"),
        ("x = 1\n", r"^broken\.py defines neither a mixture nor an agent\. It needs `mixture = "),
        ("", r"^broken\.py defines neither"),
    ],
)
def test_a_broken_file_is_told_by_file_line_and_cause(text: str, message: str) -> None:
    write("broken.py", text)
    with pytest.raises(LoadError, match=message) as caught:
        load_mixture("broken.py")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_the_cause_is_kept() -> None:
    write("broken.py", "1 / 0")
    with pytest.raises(LoadError) as caught:
        load_mixture("broken.py")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_mistake_in_an_imported_file_is_told_where_it_is() -> None:
    write("agents/math.py", "x = 1\n\nx.y\n")
    write("agents/code.py", CODE)
    write("agents/starter.py", STARTER)
    with pytest.raises(
        LoadError, match=r"^agents/math\.py, line 3: AttributeError: 'int' object has no attribute 'y'$"
    ):
        load_mixture()


def test_a_missing_name_in_an_imported_file_is_told_without_made_up_module_names() -> None:
    write("agents/math.py", MATH)
    write("agents/broken.py", "from .math import maths\n")
    with pytest.raises(
        LoadError, match=r"^agents/broken\.py, line 1: ImportError: cannot import name 'maths' from '\.math"
    ):
        load_mixture("agents/broken.py")


def test_a_forgotten_dot_in_an_import_is_explained() -> None:
    write("agents/law.py", MATH)
    write("agents/math.py", MATH)
    for module in ("math", "law"):
        write("agents/broken.py", f"from {module} import {module}\n")
        with pytest.raises(LoadError, match=rf"write `from \.{module} import …`, with the dot"):
            load_mixture("agents/broken.py")


def test_agents_that_cannot_be_mixed_are_told_with_their_file() -> None:
    write("pair.py", f'{HEAD}a = Agent("a", model=MODEL)\nb = Agent("a", model=MODEL, about="x")\n')
    with pytest.raises(LoadError, match=r"pair\.py make no mixture: Two agents are called 'a'") as caught:
        load_mixture("pair.py")
    assert isinstance(caught.value.__cause__, AgentError)


def test_text_in_another_encoding_is_told_by_its_file() -> None:
    Path("latin.py").write_bytes('x = "café"\n'.encode("latin-1"))
    with pytest.raises(LoadError, match=r"^latin\.py.*is not valid Python: .*utf-8"):
        load_mixture("latin.py")


def test_a_file_that_is_no_text_is_told_by_its_file() -> None:
    Path("binary.py").write_bytes(b"\x00\x01\x02")
    with pytest.raises(LoadError, match=r"^binary\.py"):
        load_mixture("binary.py")


@pytest.mark.parametrize(
    "wrong", ["agents/startr.py", "starter.py", "starter", "agnts/starter.py", "agents/Starter.py"]
)
def test_a_misspelt_file_is_told_with_what_was_probably_meant(wrong: str) -> None:
    write("agents/math.py", MATH)
    write("agents/starter.py", MATH)
    with pytest.raises(LoadError, match=rf"There is no file or folder {wrong}\. Did you mean agents/starter\.py\?"):
        load_mixture(wrong)


def test_a_misspelt_folder_is_told_with_what_was_probably_meant() -> None:
    write("panel/math.py", MATH)
    with pytest.raises(LoadError, match=r"Did you mean panel\?"):
        load_mixture("panle")


def test_a_misspelt_file_before_a_colon_is_told_the_same_way() -> None:
    write("agents/math.py", MATH)
    with pytest.raises(LoadError, match=r"no file or folder agents/maht\.py\. Did you mean agents/math\.py\?"):
        load_mixture("agents/maht.py:math")


def test_a_file_that_only_the_starter_has_is_told_with_the_command_that_copies_it() -> None:
    with pytest.raises(LoadError, match=r"no file or folder agents/starter\.py\. `moa init` copies"):
        load_mixture("agents/starter.py")


def test_a_file_that_nothing_resembles_is_told_with_what_can_be_named() -> None:
    with pytest.raises(LoadError, match=r"no file or folder zzz\.py\. Name a Python file, file\.py:name, or a folder"):
        load_mixture("zzz.py")


def test_a_misspelt_name_in_a_file_is_told_with_what_was_probably_meant() -> None:
    write("two.py", f'{HEAD}a = Agent("a", model=MODEL)\nfast = Mixture([a])\nbest = Mixture([a])\n')
    with pytest.raises(LoadError, match=r"two\.py defines no mixture or agent called 'besst'\. Did you mean best\?"):
        load_mixture("two.py:besst")
    with pytest.raises(LoadError, match=r"called 'MODEL'\. It defines fast, best, a\."):
        load_mixture("two.py:MODEL")


def test_a_file_that_is_not_python_is_told_so() -> None:
    write("README.md", "# Hello")
    with pytest.raises(LoadError, match=r"README\.md is no Python file"):
        load_mixture("README.md")


def test_load_agents_wants_a_folder() -> None:
    write("math.py", MATH)
    with pytest.raises(LoadError, match=r"math\.py is a file\. Name the folder"):
        load_agents("math.py")
