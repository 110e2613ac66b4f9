"""What must be read in each language, as its accountants write it."""

ROWS = {
    "en": [
        "Opening balance entry",
        "Sale INV-1",
        "Sale INV-2",
        "Credit note CN-1 for sale INV-2 – damaged",
        "Payment P-1 – cash",
        "Void of payment P-1 – bounced",
        "Sale",
        "Write-off – too small",
        "Write-off taken back (write-off of Mar 8, 2026) – released from sale",
        "Void of sale INV-2 – wrong price",
        "Sale INV-3, correction of sale INV-2",
        "Payment – wire",
        "Refund R-1 – wire",
        "Exchange into USD\u00a0100.00 – pays in dollars",
        "Sale INV-4",
    ],
    "uk": [
        "Введення початкового сальдо",
        "Продаж № INV-1",
        "Продаж № INV-2",
        "Кредит-нота № CN-1 до продажу № INV-2 – damaged",
        "Оплата № P-1 – cash",
        "Сторно оплати № P-1 – bounced",
        "Продаж",
        "Списання – too small",
        "Скасування списання (списання від 08.03.2026) – released from sale",
        "Сторно продажу № INV-2 – wrong price",
        "Продаж № INV-3, виправлення продажу № INV-2",
        "Оплата – wire",
        "Повернення коштів № R-1 – wire",
        "Обмін валюти на 100,00\u00a0USD – pays in dollars",
        "Продаж № INV-4",
    ],
    "ru": [
        "Ввод начального сальдо",
        "Продажа № INV-1",
        "Продажа № INV-2",
        "Кредит-нота № CN-1 к продаже № INV-2 – damaged",
        "Оплата № P-1 – cash",
        "Сторно оплаты № P-1 – bounced",
        "Продажа",
        "Списание – too small",
        "Отмена списания (списание от 08.03.2026) – released from sale",
        "Сторно продажи № INV-2 – wrong price",
        "Продажа № INV-3, исправление продажи № INV-2",
        "Оплата – wire",
        "Возврат средств № R-1 – wire",
        "Обмен валюты на 100,00\u00a0USD – pays in dollars",
        "Продажа № INV-4",
    ],
    "de": [
        "Saldovortrag",
        "Rechnung INV-1",
        "Rechnung INV-2",
        "Gutschrift CN-1 zur Rechnung INV-2 – damaged",
        "Zahlung P-1 – cash",
        "Storno der Zahlung P-1 – bounced",
        "Rechnung",
        "Ausbuchung – too small",
        "Rücknahme der Ausbuchung (Ausbuchung vom 08.03.2026) – released from sale",
        "Storno der Rechnung INV-2 – wrong price",
        "Rechnung INV-3, Korrektur der Rechnung INV-2",
        "Zahlung – wire",
        "Erstattung R-1 – wire",
        "Währungstausch in 100,00\u00a0USD – pays in dollars",
        "Rechnung INV-4",
    ],
}
AGES = {
    "en": ["Up to -5 days", "-4 … 0 days", "1 day", "2–21 days", "Over 21 days"],
    "uk": ["До -5 днів", "-4 … 0 днів", "1 день", "2–21 день", "Понад 21 день"],
    "ru": ["До -5 дней", "-4 … 0 дней", "1 день", "2–21 день", "Свыше 21 дня"],
    "de": ["Bis -5 Tage", "-4 … 0 Tage", "1 Tag", "2–21 Tage", "Über 21 Tage"],
}
SENTENCES = {
    "en": [
        "As of April 30, 2026, Acme GmbH owes Muster Handels GmbH EUR\u00a010.00.",
        "As of April 30, 2026, Muster Handels GmbH owes Acme GmbH EUR\u00a010.00.",
        (
            "As of April 30, 2026, neither Muster Handels GmbH nor Acme GmbH owes the other"
            " anything (balance EUR\u00a00.00)."
        ),
    ],
    "uk": [
        (
            "Станом на 30 квітня 2026\u202fр. Acme GmbH має заборгованість перед компанією"
            " Muster Handels GmbH у сумі 10,00\u00a0EUR."
        ),
        (
            "Станом на 30 квітня 2026\u202fр. Muster Handels GmbH має заборгованість перед клієнтом"
            " Acme GmbH у сумі 10,00\u00a0EUR."
        ),
        (
            "Станом на 30 квітня 2026\u202fр. Muster Handels GmbH і Acme GmbH не мають взаємної"
            " заборгованості (сальдо 0,00\u00a0EUR)."
        ),
    ],
    "ru": [
        (
            "По состоянию на 30 апреля 2026\u202fг. Acme GmbH имеет задолженность перед компанией"
            " Muster Handels GmbH в сумме 10,00\u00a0EUR."
        ),
        (
            "По состоянию на 30 апреля 2026\u202fг. Muster Handels GmbH имеет задолженность перед"
            " клиентом Acme GmbH в сумме 10,00\u00a0EUR."
        ),
        (
            "По состоянию на 30 апреля 2026\u202fг. Muster Handels GmbH и Acme GmbH не имеют"
            " взаимной задолженности (сальдо 0,00\u00a0EUR)."
        ),
    ],
    "de": [
        (
            "Zum 30. April 2026 besteht eine Forderung von Muster Handels GmbH gegen Acme GmbH"
            " in Höhe von 10,00\u00a0EUR."
        ),
        (
            "Zum 30. April 2026 besteht eine Verbindlichkeit von Muster Handels GmbH gegenüber"
            " Acme GmbH in Höhe von 10,00\u00a0EUR."
        ),
        (
            "Zum 30. April 2026 ist der Saldo zwischen Muster Handels GmbH und Acme GmbH"
            " ausgeglichen (0,00\u00a0EUR); keine Seite schuldet der anderen etwas."
        ),
    ],
}
