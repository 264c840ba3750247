"""The worker's module: `python -m dramatiq tasks.main --queues alerts stats`. Each actor's limits stand here."""

import dramatiq

from domain.events import Actor
from infra import logs
from infra.broker import make_worker_broker
from infra.settings import Settings
from tasks.alerts import give_alert, settle_hold, wake_overlay
from tasks.archives import pack_archive
from tasks.checks import check_payment
from tasks.erasure import erase_account
from tasks.exports import export_donations
from tasks.goals import settle_goals
from tasks.letters import send_letter
from tasks.media_files import check_media_file
from tasks.notifications import apply_notification
from tasks.payments import create_payment
from tasks.refunds import make_refund
from tasks.registry import read_registry
from tasks.runtime import OpenParts, declare
from tasks.self_check import check_self
from tasks.totals import update_totals
from tasks.webhooks import send_webhook

settings = Settings()
logs.configure("tasks", settings.log_level)
_opener = OpenParts(settings)
broker = make_worker_broker(settings, [_opener])
# Dramatiq's command line asks for the global one; without this it would serve a broker without actors.
dramatiq.set_broker(broker)

# The bank may take 15 s a call, and opening may need three (cancel the former, look up, open).
declare(
    broker,
    _opener,
    Actor.CREATE_PAYMENT,
    create_payment,
    max_retries=20,
    max_backoff_seconds=30,
    time_limit_seconds=90,
)
# The checker's own times repeat it (payments.next_check_at), so a failed look is not retried here.
# Its own times repeat it (refunds.next_try_at): a message that failed must not ask for money back a second time.
declare(broker, _opener, Actor.MAKE_REFUND, make_refund, max_retries=0, time_limit_seconds=90)
declare(broker, _opener, Actor.CHECK_PAYMENT, check_payment, max_retries=0, time_limit_seconds=60)
declare(
    broker,
    _opener,
    Actor.APPLY_NOTIFICATION,
    apply_notification,
    max_retries=10,
    max_backoff_seconds=60,
    time_limit_seconds=30,
)
declare(broker, _opener, Actor.WAKE_OVERLAY, wake_overlay, max_retries=3, time_limit_seconds=10)
declare(broker, _opener, Actor.SETTLE_HOLD, settle_hold, max_retries=10, time_limit_seconds=30)
declare(broker, _opener, Actor.GIVE_ALERT, give_alert, max_retries=3, time_limit_seconds=30)
declare(broker, _opener, Actor.UPDATE_TOTALS, update_totals, max_retries=5, time_limit_seconds=60)
declare(broker, _opener, Actor.SETTLE_GOALS, settle_goals, max_retries=3, time_limit_seconds=30)
# A month's file of a large streamer takes a minute; its own times repeat it (registry_files.next_read_at).
declare(broker, _opener, Actor.READ_REGISTRY, read_registry, max_retries=3, time_limit_seconds=600)
# Asked for again by its schedule; a run that was lost is another's to do.
declare(broker, _opener, Actor.SELF_CHECK, check_self, max_retries=0, time_limit_seconds=900)
# Its own times repeat it (letters.next_try_at), under another message.
declare(broker, _opener, Actor.SEND_LETTER, send_letter, max_retries=0, time_limit_seconds=60)
# Its own times repeat it (webhooks.due_at): a day of tries is nothing that RabbitMQ should hold.
declare(broker, _opener, Actor.SEND_WEBHOOK, send_webhook, max_retries=0, time_limit_seconds=60)
# The sweep asks for it again until it is done.
declare(broker, _opener, Actor.ERASE_ACCOUNT, erase_account, max_retries=3, time_limit_seconds=900)
# A million rows take minutes; its own times repeat it (exports.next_try_at). RabbitMQ would give a message that is held
# for half an hour to another worker.
declare(broker, _opener, Actor.EXPORT_DONATIONS, export_donations, max_retries=0, time_limit_seconds=1500)
declare(broker, _opener, Actor.PACK_ARCHIVE, pack_archive, max_retries=0, time_limit_seconds=1500)
# Its own times repeat it (media_files.held_until); the processes that decode have 20 s each, and wait for their turn.
declare(broker, _opener, Actor.CHECK_MEDIA_FILE, check_media_file, max_retries=0, time_limit_seconds=120)
