"""Check digits: published examples pass, and a slip of one digit fails where the rule promises."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.curation.pii import checksums

# Numbers from the issuers' own descriptions or in common use as examples; none is a person's.
EXAMPLES = {
    checksums.luhn: ["4111111111111111", "378282246310005", "6011000990139424", "79927398713"],
    checksums.mod_97: [
        "DE89370400440532013000",
        "GB82WEST12345698765432",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
    ],
    checksums.spanish: ["12345678Z", "X1234567L", "Y2345678Z", "00000000T"],
    checksums.french: ["255081416802538"],
    checksums.german: ["86095742719", "47036892816", "65929970489"],
    checksums.italian: ["RSSMRA85T10A562S", "MRTMTT25D09F205Z", "RSSMRA80A01H501U"],
    checksums.brazilian: ["11144477735", "52998224725"],
    checksums.dutch: ["111222333", "123456782"],
    checksums.polish: ["44051401359", "02070803628"],
}
PAIRS = [(check, number) for check, numbers in EXAMPLES.items() for number in numbers]


@pytest.mark.parametrize(("check", "number"), PAIRS)
def test_published_examples_pass(check: Callable[[str], bool], number: str) -> None:
    assert check(number)


@pytest.mark.parametrize(("check", "number"), PAIRS)
def test_one_wrong_digit_fails(check: Callable[[str], bool], number: str) -> None:
    for place, character in enumerate(number):
        if character.isdecimal():
            others = [f"{number[:place]}{d}{number[place + 1 :]}" for d in range(10)]
            assert [n for n in others if check(n)] == [number]


def test_what_the_sums_alone_would_pass() -> None:
    assert not checksums.brazilian("11111111111")
    assert not checksums.dutch("000000000")
    assert not checksums.polish("44451401355")  # month 45
    assert not checksums.german("12345678903")  # no digit occurs twice


def test_corsica_counts_as_18_and_19() -> None:
    for department, number in (("2A", "19"), ("2B", "18")):
        body = f"18412{department}451089"
        key = 97 - int(body.replace(department, number)) % 97
        assert checksums.french(f"{body}{key:02d}")
        assert not checksums.french(f"{body}{key % 97 + 1:02d}")
    assert not checksums.french("18412A145108946")


@given(st.text("0123456789", min_size=12, max_size=18))
def test_every_number_has_one_luhn_digit(body: str) -> None:
    assert sum(checksums.luhn(f"{body}{d}") for d in range(10)) == 1


@given(st.text("0123456789", min_size=10, max_size=20))
def test_every_account_has_one_pair_of_iban_digits(account: str) -> None:
    pairs = [p for p in range(2, 99) if checksums.mod_97(f"DE{p:02d}{account}")]
    assert len(pairs) == 1
