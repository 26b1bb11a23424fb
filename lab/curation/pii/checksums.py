"""Check digits: what makes a number that looks like an identifier one.

| function    | rule                                                | a random number passes |
|-------------|-----------------------------------------------------|------------------------|
| luhn        | ISO/IEC 7812-1 annex B: payment cards               | 1 in 10                |
| mod_97      | ISO 13616: IBAN                                     | 1 in 97                |
| spanish     | letter = number mod 23 (Orden INT/2058/2008)        | 1 in 23                |
| french      | key = 97 - number mod 97 (INSEE, NIR)               | 1 in 97                |
| german      | ISO 7064 mod 11,10, and one digit doubled (§ 139b)  | 1 in 270               |
| italian     | letter by two tables mod 26 (D.M. 23/12/1976)       | 1 in 26                |
| brazilian   | two digits mod 11 (Receita Federal, CPF)            | 1 in 100               |
| dutch       | the eleven-test (BSN)                               | 1 in 11                |
| polish      | a date, and weights 1 3 7 9 mod 10 (PESEL)          | 1 in 50                |

Each takes the bare characters, without separators, of the right length, and says yes or no. Python
over a string of digits: about a microsecond each, called for candidates only.
"""

SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
# Values at odd places of 0-9 and of A-Z; at even places characters count by their order.
ITALIAN_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
ITALIAN_LETTERS = (
    *ITALIAN_DIGITS,
    *(2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
)


def digits(number: str) -> list[int]:
    """Its digits as numbers."""
    return [ord(character) - 48 for character in number]


def luhn(number: str) -> bool:
    """Whether every second digit from the right, doubled, makes the sum divisible by ten."""
    reverse = digits(number)[::-1]
    doubled = sum(2 * d - 9 * (d > 4) for d in reverse[1::2])
    return (sum(reverse[::2]) + doubled) % 10 == 0


def mod_97(iban: str) -> bool:
    """Whether an IBAN, its first four characters moved to the end and letters as 10..35, leaves 1.

    Takes capital letters and digits only.
    """
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def spanish(number: str) -> bool:
    """DNI (eight digits and a letter) or NIE (X, Y or Z, seven digits and a letter)."""
    value = int(number[:-1].translate(str.maketrans("XYZ", "012")))
    return SPANISH_LETTERS[value % 23] == number[-1]


def french(number: str) -> bool:
    """NIR: thirteen characters and a key of two digits; Corsica's 2A and 2B count as 19 and 18."""
    value = number[:13].replace("2A", "19").replace("2B", "18")
    return value.isdecimal() and 97 - int(value) % 97 == int(number[13:])


def german(number: str) -> bool:
    """Steuer-ID: eleven digits; of the first ten exactly one occurs twice or three times."""
    values = digits(number)
    repeats = [values[:10].count(d) for d in set(values[:10])]
    if sorted(repeats)[-1] not in (2, 3) or sorted(repeats)[-2] > 1:
        return False
    product = 10
    for d in values[:10]:
        product = ((d + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == values[10]


def italian(code: str) -> bool:
    """Codice fiscale: fifteen characters and a control letter."""
    values = [int(character, 36) for character in code[:15]]
    odd = sum(ITALIAN_DIGITS[v] if v < 10 else ITALIAN_LETTERS[v - 10] for v in values[::2])
    even = sum(v if v < 10 else v - 10 for v in values[1::2])
    return (odd + even) % 26 == ord(code[15]) - ord("A")


def brazilian(number: str) -> bool:
    """CPF: nine digits and two check digits; eleven equal digits pass the sums and are none."""
    values = digits(number)
    if len(set(values)) == 1:
        return False
    for size in (9, 10):
        total = sum(d * (size + 1 - i) for i, d in enumerate(values[:size]))
        if total * 10 % 11 % 10 != values[size]:
            return False
    return True


def dutch(number: str) -> bool:
    """BSN: nine digits, weights 9 to 2 and -1, the sum divisible by eleven."""
    values = digits(number)
    total = sum(d * weight for d, weight in zip(values, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0 and any(values)


def polish(number: str) -> bool:
    """PESEL: a date of birth with the century in the month, four digits, a check digit."""
    values = digits(number)
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    month, day = int(number[2:4]) % 20, int(number[4:6])
    dated = 1 <= month <= 12 and 1 <= day <= 31
    return dated and sum(d * w for d, w in zip(values, weights, strict=True)) % 10 == 0
