"""The tiers of cards, by the names that the driver gives them."""

from __future__ import annotations

import pytest

from engine.gpu_tiers import cards, tier_of

# The list as the guide to pretrains gives it, a card that stands twice in its higher tier.
GUIDE = {
    "S": ["H100", "A100"],
    "A": ["L40S", "RTX 4090", "RTX 4080", "RTX 4080 Super"],
    "B": [
        *("RTX 4070", "RTX 4070 Ti", "RTX 4070 Super", "RTX 4070 Ti Super"),
        *("V100", "RTX 3090", "RTX 3090 Ti", "A40"),
    ],
    "C": ["RTX 3080", "RTX 3080 Ti", "RTX 3070", "RTX 3070 Ti", "P100"],
    "D": ["L4", "A10", "T4", "RTX 4060", "RTX 4060 Ti", "RTX 3060", "RTX 3060 Ti"],
}


def test_the_list_is_that_of_the_guide() -> None:
    assert cards() == {card: tier for tier, names in GUIDE.items() for card in names}


@pytest.mark.parametrize("card", [card for names in GUIDE.values() for card in names])
def test_every_card_is_found_under_its_makers_name(card: str) -> None:
    maker = "NVIDIA GeForce " if card.startswith("RTX") else "NVIDIA "
    for name in (card, maker + card, (maker + card).upper()):
        tier = tier_of(name)
        assert tier is not None, name
        assert (tier.card, tier.name, tier.note) == (card, cards()[card], "")


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA A100-PCIE-40GB", "A100"),
        ("NVIDIA A100 80GB PCIe", "A100"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 NVL", "H100"),
        ("NVIDIA H100 PCIe", "H100"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("Tesla P100-PCIE-16GB", "P100"),
        ("Tesla T4", "T4"),
        ("NVIDIA GeForce RTX 4070 SUPER", "RTX 4070 Super"),
        ("NVIDIA GeForce RTX 4060 Ti 16GB", "RTX 4060 Ti"),
    ],
)
def test_builds_of_a_card_are_that_card(name: str, card: str) -> None:
    tier = tier_of(name)
    assert tier is not None
    assert (tier.card, tier.note) == (card, "")


@pytest.mark.parametrize(
    ("name", "card", "note"),
    [
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090", "laptop"),
        ("NVIDIA GeForce RTX 3080 Ti Laptop GPU", "RTX 3080 Ti", "laptop"),
        ("NVIDIA GeForce RTX 3080 with Max-Q Design", "RTX 3080", "laptop"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "A100", "share"),
        ("GRID T4-8Q", "T4", "share"),
    ],
)
def test_less_than_the_card_is_said(name: str, card: str, note: str) -> None:
    tier = tier_of(name)
    assert tier is not None
    assert tier.card == card
    assert note in tier.note
    assert note in str(tier)


@pytest.mark.parametrize(
    "name",
    [
        *("NVIDIA A10G", "NVIDIA A4000", "NVIDIA RTX A4000", "NVIDIA RTX 4000 Ada Generation"),
        *("NVIDIA L40", "NVIDIA GH200 480GB", "NVIDIA GeForce RTX 4090 D", "Quadro RTX 3060"),
        *("NVIDIA GeForce RTX 2080 Ti", "NVIDIA GeForce RTX 5090", "NVIDIA", "", "40", "A1"),
    ],
)
def test_other_cards_have_no_tier(name: str) -> None:
    assert tier_of(name) is None
