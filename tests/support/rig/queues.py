"""The broker's queues: what lies in them, what is put there and taken."""
import contextlib
import json

import pika

from rig.client import USER

FID = "5f0000000000000000000001"


@contextlib.contextmanager
def broker(s):
    url = s.environment()["AMQP_URL"].rstrip("/") + "/%2f"
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def depth(s, queue):
    with broker(s) as channel:
        try:
            return channel.queue_declare(queue, passive=True).method.message_count
        except pika.exceptions.ChannelClosedByBroker:
            return 0


def send(s, queue, body):
    with broker(s) as channel:
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))


def take(s, queue):
    with broker(s) as channel:
        return channel.basic_get(queue, auto_ack=True)


def message(**changes):
    return json.dumps({"video_fid": FID, "mp3_fid": None, "username": USER, **changes}).encode()
