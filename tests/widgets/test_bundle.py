"""The front end's modules are bundled into one; what cannot be bundled is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.widgets import workbench as home
from workbench.widgets.bundle import BundleError, bundle_module, bundle_styles

STATIC = Path(home.__file__).parent / "static"


def _write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, "utf-8")
    return folder / "main.js"


def test_each_module_is_bundled_once_and_after_its_imports(tmp_path: Path) -> None:
    entry = _write(
        tmp_path,
        base="export const one = 1;\n",
        middle='import { one } from "./base.js";\nexport function two() { return one + 1; }\n',
        main='import { one } from "./base.js";\nimport { two as pair } from "./middle.js";\n'
        "export default { value: () => one + pair() };\n",
    )
    joined = bundle_module(entry)
    assert joined.index("// base.js") < joined.index("// middle.js") < joined.index("// main.js")
    assert joined.count("// base.js") == 1
    assert "const { two: pair } = $middle;" in joined
    assert "import {" not in joined


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        ({"main": "const a = 1;\n"}, "export default"),
        ({"main": 'import { a } from "https://x/y.js";\nexport default a;\n'}, "only ./files"),
        ({"main": 'import { a } from "./gone.js";\nexport default a;\n'}, "no module gone.js"),
        (
            {
                "a": "export const b = 1;\n",
                "main": 'import { c } from "./a.js";\nexport default c;',
            },
            "does not export",
        ),
        (
            {
                "a": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b": 'import { a } from "./a.js";\nexport const b = 1;\n',
                "main": 'import { a } from "./a.js";\nexport default a;\n',
            },
            "circle",
        ),
        ({"main": 'import x from "./a.js";\nexport default x;\n', "a": ""}, "cannot join"),
    ],
)
def test_a_module_that_cannot_be_bundled_is_refused_by_name(
    tmp_path: Path, modules: dict[str, str], told: str
) -> None:
    with pytest.raises(BundleError, match=told):
        bundle_module(_write(tmp_path, **modules))


def test_the_front_end_is_one_module_without_references_to_other_hosts() -> None:
    joined = bundle_module(STATIC / "main.js") + bundle_styles(STATIC)
    assert "https://" not in joined
    assert "innerHTML" not in joined
    assert "http://" not in joined.replace("http://www.w3.org/2000/svg", "")


def test_every_module_of_the_front_end_is_used_and_small() -> None:
    joined = bundle_module(STATIC / "main.js")
    modules = list(STATIC.glob("*.js"))
    assert len(modules) > 20
    for module in modules:
        assert f"// {module.name}\n" in joined
        assert len(module.read_text("utf-8").splitlines()) <= 300, module.name
