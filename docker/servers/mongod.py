"""The variables of the image mongo: an empty disk gets its first user from a server that only this container reaches."""
import os
import pathlib
import subprocess
import sys

import pymongo

COMMAND = ["mongod", "--dbpath", "/data/db", "--nounixsocket", *sys.argv[1:]]
filled = pathlib.Path("/data/db/.filled")

if not filled.exists():
    server = subprocess.Popen([*COMMAND, "--bind_ip", "127.0.0.1"], stdout=subprocess.DEVNULL)
    client = pymongo.MongoClient("127.0.0.1", 27017, serverSelectionTimeoutMS=60000)
    user, password = os.environ["MONGO_INITDB_ROOT_USERNAME"], os.environ["MONGO_INITDB_ROOT_PASSWORD"]
    if not client.admin.command("usersInfo", user)["users"]:
        client.admin.command("createUser", user, pwd=password, roles=["root"])
    client.close()
    server.terminate()
    server.wait(60)
    filled.touch()
os.execvp("mongod", [*COMMAND, "--auth", "--bind_ip_all"])
