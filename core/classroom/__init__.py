"""The vote of a class: one person opens it, everybody votes in their own browser, closing makes votes of the ballots.

    ballots.py    the values: Paper (what is voted on), Ballot, Tally, Poll; how a ballot becomes a Vote
    polls.py      Classroom: opens, counts, closes; what pages use
    hall.py       one open poll as its phones see it
    listener.py   a server of its own for as long as one poll is open
    door.py       before every request: who may ask, how often (guard.py), and the headers of every answer
    phone.py      the routes for phones; drawing.py fills the pages of web/: plain forms, a little script
    codes.py      what is typed; addresses.py: where phones can reach this machine; qr.py draws it

A phone never reaches the workbench: the listener has the routes of phone.py and no others.
"""
