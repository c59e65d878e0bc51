"""Promises about the alarm panel: the most urgent first, in words and colour, and acknowledged from the keyboard."""

from __future__ import annotations

import pytest

from schemas.alarms import EXTREME_TACHYCARDIA, NOTICE
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY, NOISE, PAUSE
from tests.dashboard.visits import Visit

pytestmark = pytest.mark.chromium

KINDS = ".alarm-kind b"


def in_trouble(visit: Visit) -> None:
    """Five alarms of three patients, the most urgent told last."""
    backend = visit.backend
    ruth, jonas, tomasz = (visit.bed(name) for name in ("Ruth Adeyemi", "Jonas Weber", "Tomasz Nowak"))
    backend.alarm(ruth, BIGEMINY, 95)
    backend.alarm(visit.bed("Viktor Hrubý"), NOISE, 40)
    backend.alarm(tomasz, PAUSE, 300, 297)
    backend.alarm(jonas, ATRIAL_FIBRILLATION, 1800)
    backend.alarm(jonas, EXTREME_TACHYCARDIA, 12, value=163.2, limit=150.0)
    backend.alarm(tomasz, ASYSTOLE, 4)


def shown(count: int) -> str:
    return f"document.querySelectorAll('.alarm').length === {count}"


def test_without_alarms_there_is_no_panel(visit: Visit) -> None:
    visit.enter()
    assert visit.page.evaluate("document.querySelector('.alarms').hidden")


def test_the_most_urgent_alarms_stand_first_and_say_what_they_are(visit: Visit) -> None:
    in_trouble(visit)
    visit.enter()
    visit.page.wait_until(shown(6))
    assert visit.texts(KINDS) == [ASYSTOLE, EXTREME_TACHYCARDIA, PAUSE, ATRIAL_FIBRILLATION, NOISE, BIGEMINY]
    assert visit.texts(".alarm-priority") == ["high", "high", "medium", "medium", "low", "low"]
    assert " ".join(visit.texts(".alarm")[1].split()).startswith(
        "high Extreme Tachycardia163 bpm, limit 150 Jonas Weber since "
    )
    assert visit.texts(".alarm-since")[2].endswith("over")
    assert visit.texts(".alarms .notice") == [NOTICE]


def test_an_acknowledged_alarm_goes_down_the_list_or_away(visit: Visit) -> None:
    in_trouble(visit)
    visit.enter()
    visit.page.wait_until(shown(6))
    visit.page.click(".alarm .button")
    visit.page.wait_until("document.querySelector('.alarm:last-child b').textContent === 'Asystole'")
    assert visit.page.evaluate("document.querySelector('.alarm:last-child .button').disabled")
    visit.page.click(".alarm:nth-child(2) .button")  # the pause is over
    visit.page.wait_until(shown(5))
    assert PAUSE not in visit.texts(KINDS)


def test_an_alarm_is_acknowledged_from_the_keyboard(visit: Visit) -> None:
    in_trouble(visit)
    visit.enter()
    visit.page.wait_until(shown(6))
    visit.page.evaluate("document.querySelector('.alarm .button').focus()")
    assert visit.page.evaluate("document.activeElement.ariaLabel") == "Acknowledge: Asystole, Tomasz Nowak"
    visit.page.press("Enter")
    visit.page.wait_until("document.querySelector('.alarm:last-child b').textContent === 'Asystole'")


def test_a_button_in_focus_stays_in_focus_while_the_list_is_told_anew(visit: Visit) -> None:
    in_trouble(visit)
    visit.enter()
    visit.page.wait_until(shown(6))
    visit.page.evaluate("document.querySelector('.alarm:nth-child(3) .button').focus()")
    visit.backend.alarm(visit.bed("Ruth Adeyemi"), ASYSTOLE, 1)
    visit.page.wait_until(shown(7))
    assert visit.page.evaluate("document.activeElement.ariaLabel") == "Acknowledge: Pause, Tomasz Nowak"


def test_who_may_not_acknowledge_is_told_why(visit: Visit) -> None:
    in_trouble(visit)
    visit.backend.may_acknowledge = False
    visit.enter()
    visit.page.click(".alarm .button")
    visit.page.wait_until("document.querySelector('.alarms .error').textContent.includes('ask one of them')")
    assert not visit.page.evaluate("document.querySelector('.alarm .button').disabled")


def test_a_patient_s_page_shows_their_own_alarms_as_they_come(visit: Visit) -> None:
    visit.open("Jonas Weber")
    assert visit.page.evaluate("document.querySelector('.alarms').hidden")
    in_trouble(visit)
    visit.page.wait_until(shown(2))
    assert visit.texts(KINDS) == [EXTREME_TACHYCARDIA, ATRIAL_FIBRILLATION]


def test_alarms_fit_a_phone_and_nothing_complains(visit: Visit) -> None:
    visit.page.resize(375, 812)
    in_trouble(visit)
    visit.enter()
    visit.page.wait_until(shown(6))
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375
    assert visit.page.errors() == []
