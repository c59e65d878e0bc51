"""Promises about the page: who gets in, who is seen first, and what happens when things go away."""

from __future__ import annotations

import pytest

from tests.dashboard.fake_backend import FakeBackend, serving
from tests.dashboard.visits import Visit
from tests.dashboard.wards import hospital
from tests.servers.chromium import Browser

pytestmark = pytest.mark.chromium

PATIENT = "Jonas Weber"
_TOKEN = "JSON.parse(sessionStorage.getItem('leadwire.session')).token"


def test_a_wrong_password_is_told_plainly(visit: Visit) -> None:
    visit.sign_in("guess")
    visit.page.wait_until("document.querySelector('.signin-card .error').textContent.includes('wrong')")


def test_the_token_lives_in_session_storage_only(visit: Visit) -> None:
    visit.enter()
    kept = visit.page.evaluate("JSON.stringify(sessionStorage)")
    elsewhere = visit.page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
    assert "fake-token" in kept
    assert "fake-refresh" in kept
    assert "fake-" not in elsewhere


def test_signing_out_forgets_the_token(visit: Visit) -> None:
    visit.enter()
    visit.page.click("#sign-out")
    visit.page.wait_until("document.querySelector('.signin-card')")
    assert visit.page.evaluate("sessionStorage.length") == 0
    assert visit.backend.logouts == 1


def test_a_token_that_has_ended_is_renewed_once_and_nobody_notices(visit: Visit) -> None:
    visit.enter()
    visit.backend.end_token()
    visit.page.wait_until(f"{_TOKEN} === 'fake-token-1'")
    visit.turn_to(PATIENT)
    assert (visit.backend.renewals, visit.backend.expired) == (1, False)
    assert visit.texts(".signin-card") == []
    visit.wait_until_drawn(1)  # the live stream was opened with the new token


def test_a_token_is_renewed_shortly_before_it_ends(visit: Visit) -> None:
    visit.backend.expires_in = 2
    visit.enter()
    visit.page.wait_until(f"{_TOKEN} === 'fake-token-2'")
    assert visit.backend.refused == 0


def test_a_refused_renewal_leads_to_the_sign_in_page(visit: Visit) -> None:
    visit.enter()
    visit.backend.refresh_token = "another"
    visit.backend.end_token()
    visit.page.wait_until("document.querySelector('.signin-card .error')?.textContent.includes('ended')")
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_an_ended_session_asks_to_sign_in_again(visit: Visit) -> None:
    visit.enter()
    visit.backend.expired = True
    visit.page.wait_until("document.querySelector('.signin-card .error')?.textContent.includes('ended')")


def test_the_most_severe_stand_first_and_the_silent_last(visit: Visit) -> None:
    visit.enter()
    levels = visit.page.evaluate("[...document.querySelectorAll('.card')].map((card) => card.dataset.level)")
    order = ["critical", "warning", "advisory", "technical", "normal", "lost"]
    assert levels == sorted(levels, key=order.index)
    assert visit.texts(".card-name")[0] == "Tomasz Nowak"


def test_a_silent_device_is_greyed_and_shows_no_rate(visit: Visit) -> None:
    visit.enter()
    card = visit.page.evaluate("document.querySelector('.card[data-level=lost]').textContent")
    assert "No signal" in card
    assert "--" in card


def test_search_finds_by_rhythm_and_name(visit: Visit) -> None:
    visit.enter()
    visit.page.type(".search", "fibrill weber")
    visit.page.wait_until("document.querySelectorAll('.card').length === 1")
    assert visit.texts(".card-name") == ["Jonas Weber"]


def test_nobody_found_is_explained(visit: Visit) -> None:
    visit.enter()
    visit.page.type(".search", "zzz")
    visit.page.wait_until("!document.querySelector('.empty').hidden")
    assert visit.texts(".empty h2") == ["Nobody fits"]


def test_five_hundred_devices_are_listed_without_making_five_hundred_cards(chromium_browser: Browser) -> None:
    backend = FakeBackend(hospital(500))
    with serving(backend) as url, chromium_browser.open(url, 1440, 900) as page:
        Visit(page, backend).enter()
        assert page.evaluate("document.querySelectorAll('.card').length") < 60
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_until("[...document.querySelectorAll('.card')].some((card) => card.ariaPosInSet === '500')")
        assert len(backend.sockets) <= 48  # those on screen, and for a moment those just left


def test_no_patients_is_an_explained_state(chromium_browser: Browser) -> None:
    backend = FakeBackend([])
    with serving(backend) as url, chromium_browser.open(url, 1440, 900) as page:
        Visit(page, backend).sign_in()
        page.wait_until("document.querySelector('.empty h2')?.textContent === 'No patients yet'")


def test_a_lost_connection_is_said_and_found_again(visit: Visit) -> None:
    visit.enter()
    visit.backend.away = True
    visit.page.wait_until("!document.querySelector('#banner').hidden")
    assert "Connection lost, retrying" in visit.texts("#banner-text")[0]
    visit.backend.away = False
    visit.page.click("#banner-retry")
    visit.page.wait_until("document.querySelector('#banner').hidden")


def test_a_patient_shows_figures_rhythm_and_episodes(visit: Visit) -> None:
    visit.open("Ruth Adeyemi")
    visit.page.wait_until("document.querySelector('[data-ref=qtc]').textContent === '421'")
    visit.page.wait_until("document.querySelectorAll('[data-ref=episodes] .row').length === 5")
    assert visit.texts(".detail-head [data-ref=label]") == ["Premature Ventricular Complexes"]
    visit.page.wait_until("document.querySelector('[data-ref=trendText]').textContent.startsWith('Mean')")


def test_a_patient_shows_the_variability_of_the_last_five_minutes(visit: Visit) -> None:
    visit.open("Ruth Adeyemi")
    visit.page.wait_until("document.querySelector('[data-ref=variability]').textContent !== ''")
    [told] = [" ".join(text.split()) for text in visit.texts("[data-ref=variability]")]
    assert told.endswith("SDNN 49 ms · RMSSD 31 ms · LF/HF 1.58")


def test_a_heart_in_fibrillation_has_a_reason_for_no_variability(visit: Visit) -> None:
    visit.open("Jonas Weber")
    visit.page.wait_until("document.querySelector('[data-ref=variability]').textContent.includes('fibrillation')")


def test_a_patient_shows_every_qtc_st_level_and_axis(visit: Visit) -> None:
    visit.open("Ingrid Solheim")
    visit.page.wait_until("document.querySelector('[data-ref=qtcMore]').textContent !== ''")
    told = [" ".join(text.split()) for text in visit.texts(".vital-more")]
    assert told == ["B 431 · Fm 419 · H 417", "J+80 +0.03", "P 54 · T \u221238", "I"]


def test_a_patient_shows_how_well_each_lead_can_be_read(visit: Visit) -> None:
    visit.open("Ingrid Solheim")
    visit.page.wait_until("document.querySelectorAll('.lead').length === 12")
    assert visit.texts(".lead")[:3] == ["I", "II", "III"]
    assert visit.texts(".lead.main") == ["I"]
    bars = visit.page.evaluate("[...document.querySelectorAll('.lead .quality')].map((each) => each.dataset.bars)")
    assert bars == ["4", "2", *["4"] * 10]
    assert visit.page.evaluate("document.querySelectorAll('.lead')[1].title") == "II: 38 %, noise"


def test_one_lead_has_no_list_of_leads(visit: Visit) -> None:
    visit.open("Screen Ruler")
    visit.page.wait_until("document.querySelector('[data-ref=qualityMore]').textContent === 'II'")
    assert visit.page.evaluate("document.querySelector('.vital-leads').hidden")


def test_a_report_is_asked_for_awaited_and_downloaded_with_the_token(visit: Visit) -> None:
    visit.open("Margaret Ellison")
    visit.page.wait_until("document.querySelector('[data-ref=note]').textContent === ''")
    visit.page.click("[data-ref=newReport]")
    visit.page.wait_until("document.querySelector('[data-ref=reports] [data-ref=download]:not([hidden])')")
    visit.page.click("[data-ref=reports] [data-ref=download]")
    visit.page.wait_until("!document.querySelector('[data-ref=reports] [data-ref=download]').disabled")
    assert visit.backend.downloads == 1


def test_nothing_complains_on_a_walk_through_everything(visit: Visit) -> None:
    visit.open("Helena Costa")
    visit.page.click("[data-ref=paper]")
    visit.page.click("[data-ref=calibrate]")
    visit.page.click(".calibrate .primary")
    visit.page.click("[data-span='3600']")
    visit.freeze_after(2)
    visit.page.evaluate("location.hash = '#/'")
    visit.page.wait_until("document.querySelectorAll('.card').length > 0")
    assert visit.page.errors() == []


def test_it_fits_a_phone_without_sideways_scrolling(visit: Visit) -> None:
    visit.page.resize(375, 812)
    visit.open("Jonas Weber")
    visit.page.wait_until("document.querySelector('[data-ref=note]').textContent === ''")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375
