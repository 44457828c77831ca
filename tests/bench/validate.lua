-- wrk: POST /validate with the token of the environment (never on the command line)
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
