"""Create the tables, the texts of emails and one public queue; print the id of the queue."""

import django
from django.core.management import call_command


def main() -> None:
    """Run once for an empty database."""
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)
    from helpdesk.models import Queue  # noqa: PLC0415 - models exist after the set-up

    queue = Queue.objects.create(
        title="Visas", slug="visas", email_address="visas@example.ir", allow_public_submission=True
    )
    print(queue.pk)


if __name__ == "__main__":
    main()
