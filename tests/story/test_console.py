"""The story in the console: an expert takes a request, answers it with a file, and the applicant reads the answer."""

from support.applicant import PDF, Applicant
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for

ANSWER = "روادید شما صادر شده است."


def wait_for_case(console: ConsoleClient, code: str) -> str:
    """Wait until a case can be opened; return its page."""
    return wait_for(lambda: text if "request_text" in (text := console.open(f"/cases/{code}")) else "")


def test_an_expert_answers_with_a_file_and_the_applicant_receives_it(desk: RunningDesk):
    applicant = Applicant(desk.client, place=8)
    applicant.identify()
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = applicant.send(applicant.form(province="kerman", attachments=[file_id])).json()["tracking_code"]

    with ConsoleClient(desk.url).sign_in("kerman") as console:
        assert console.path.endswith("/cases")
        wait_for_case(console, code)
        assert code in console.open("/cases")
        page = console.open(f"/cases/{code}")
        assert applicant.person["last_name"] in page
        assert "گذرنامه.pdf" in page
        assert console.client.get(f"/cases/{code}/files/{file_id}").content == PDF

        console.send(f"/cases/{code}/take")
        assert 'id="send_answer"' in console.text
        console.send(f"/cases/{code}/answer", text=ANSWER, files={"files": ("روادید.pdf", PDF)})
        wait_for(lambda: "پاسخ ثبت شد" in console.open(f"/cases/{code}", done="answered"))

    view = applicant.sees(code, "answered")
    assert view["answer"]["text"] == ANSWER
    states = {step["state"] for step in view["history"]}
    assert states == {"registered", "received", "in_progress", "answered"}
    (file,) = view["answer"]["files"]
    assert file["name"] == "روادید.pdf"
    headers = {"Authorization": f"Bearer {view['token']}"}
    assert desk.client.get(f"/api/files/{file['id']}", headers=headers).content == PDF
