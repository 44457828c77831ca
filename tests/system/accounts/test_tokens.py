"""When the tokens of a user end whom an operator restricts, and what is known of it while MySQL is away."""
from rig.lib import expect
from rig.users import DEADLINE, ENDED, KEPT, PASSWORD, ending, validate
from rig.wire import ask, basic


def ended(s):
    watched = ending(s)
    watched.thread.join(DEADLINE + 30)
    return watched


def test_tokens_end_within_30_s_of_passwd_disable_and_revoke(s):
    watched = ended(s)
    expect(set(watched.after) == set(ENDED.values()), "still valid:", set(ENDED.values()) - set(watched.after))
    expect(max(watched.after.values()) < DEADLINE + 5, watched.after)
    expect(validate(s, watched.tokens[KEPT]) == 200, "a token of somebody else ended too")


def test_a_login_after_passwd_and_revoke_gives_a_token_that_is_valid(s):
    ended(s)
    for address, password in ((ENDED["passwd"], "what they have now"), (ENDED["revoke"], PASSWORD)):
        answer = ask(s.auth, "POST", "/login", basic(address, password))
        expect(answer.status == 200 and validate(s, answer.text.strip()) == 200, address, answer)


def test_who_is_restricted_stays_so_and_others_stay_valid_while_mysql_is_away(s):
    watched = ended(s)
    s.kill_server("mysql")
    for address, token in watched.tokens.items():
        expect(validate(s, token) == (200 if address == KEPT else 403), address)
