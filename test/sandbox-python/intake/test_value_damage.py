"""One damaged value in an otherwise tidy table: its line is named. Nothing is said about the tidy table."""

import random
import unittest
from collections.abc import Callable

from support import IntakeCase, text

Damage = Callable[[str], str | None]


def is_number(value: str) -> bool:
    return value.replace(".", "").isdigit()


DAMAGES: dict[str, Damage] = {
    "read in a wrong encoding": lambda value: None if value.isascii() else value.encode().decode("cp1252", "replace"),
    "a character lost": lambda value: f"{value[:1]}\ufffd{value[2:]}" if len(value) > 3 and not value[0].isdigit() else None,
    "a letter lost": lambda value: None if value.isascii() else "".join(letter if letter.isascii() else "?" for letter in value),
    "a zero-width blank": lambda value: f"{value[:2]}\u200b{value[2:]}",
    "a blank of a word processor behind": lambda value: value + "\u00a0",
    "a control character": lambda value: f"{value[:1]}\x01{value[1:]}",
    "blanks before": lambda value: "  " + value,
    "a blank behind": lambda value: value + " ",
    "wide digits": lambda value: "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in value) if any(map(str.isdigit, value)) else None,
    "a decimal comma": lambda value: value.replace(".", ",") if is_number(value) and "." in value else None,
    "the letter O for a zero": lambda value: value.replace("0", "O", 1) if "0" in value and value[0].isdigit() else None,
    "a currency sign": lambda value: "$" + value if is_number(value) else None,
    "a minus": lambda value: "-" + value if is_number(value) else None,
    "a slipped decimal point": lambda value: str(int(float(value) * 10000)) if is_number(value) and "." in value else None,
    "another date format": lambda value: ".".join(reversed(value[:10].split("-"))) if value[:4].isdigit() and "-" in value else None,
    "a blank inside a code": lambda value: value.replace("C", "C ").replace("SKU-", "SKU ") if value[:1] in "CS" and value[-1].isdigit() else None,
    "other capitals": lambda value: value.upper() if value.isalpha() and not value.isupper() else None,
    "a word for a number": lambda value: "n.v." if is_number(value) else None,
}


def tidy(kind: int, rows: int, chance: random.Random) -> list[list[str]]:
    out = [[["id", "city", "amount", "day", "code"], ["sku", "state", "n", "at", "owner"], ["colour", "on", "weight", "ratio", "phone"]][kind]]
    for index in range(1, rows + 1):
        day = f"2024-{index // 28 % 12 + 1:02d}-{index % 28 + 1:02d}"
        match kind:
            case 0:
                out.append([str(index), chance.choice(["Zürich", "Köln", "Bern", "Genève"]), f"{chance.random() * 1000:.2f}", day, f"C{index:05d}"])
            case 1:
                out.append([f"SKU-{chance.randint(100, 999)}-{index:04d}", chance.choice(["open", "closed", "on hold"]), str(chance.randint(1, 99)), f"{day} 10:{index % 60:02d}", chance.choice(["Anna Müller", "Jo Smith", "Li Wei"])])
            case _:
                out.append([chance.choice(["red", "green"]), f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/2023", str(chance.randint(1000, 99999)), f"{chance.random() * 3:.3f}", f"+49 30 {chance.randint(10**6, 10**7 - 1)}"])
    return out


class ValueDamage(IntakeCase):
    def named(self, rows: list[list[str]]) -> set[int]:
        found = self.carded(text([";".join(row) for row in rows]))
        return {entry["line"] for entry in (*found["warnings"], *found["rejected"]) if entry["line"] is not None}

    def test_a_tidy_table_is_left_in_peace(self) -> None:
        for seed in range(12):
            chance = random.Random(seed)
            rows = tidy(seed % 3, chance.randint(60, 400), chance)
            self.assertEqual(self.carded(text([";".join(row) for row in rows]))["warnings"], [], f"seed {seed}")

    def test_every_damage_is_named(self) -> None:
        for number, (name, damage) in enumerate(DAMAGES.items()):
            tried = 0
            for seed in range(6):
                chance = random.Random(100 * number + seed)
                rows = tidy(seed % 3, chance.randint(60, 400), chance)
                places = [(row, column) for row in range(1, len(rows)) for column in range(5)]
                chance.shuffle(places)
                fitting = ((row, column, broken) for row, column in places if (broken := damage(rows[row][column])) not in (None, rows[row][column]))
                row, column, broken = next(fitting, (0, 0, None))
                if broken is None:
                    continue
                tried += 1
                rows[row][column] = broken
                with self.subTest(name, value=broken, seed=seed):
                    named = self.named(rows)
                    self.assertIn(row + 1, named)
                    self.assertLessEqual(len(named), len(rows) // 10)
            self.assertGreater(tried, 1, name)


if __name__ == "__main__":
    unittest.main()
