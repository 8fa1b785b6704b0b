"""Seeds as hashes of names."""

from workflow_scripts.study.seeds import derive_seed


def test_seeds_depend_on_every_name_its_type_and_the_order():
    seeds = {derive_seed(0, "A"), derive_seed("A", 0), derive_seed("0", "A"), derive_seed(1, "A"), derive_seed("0A")}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "A") == derive_seed(0, "A")
