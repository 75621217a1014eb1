"""The exchanges, queues, bindings, users and permissions of the desk: one table, for every broker.

::

    table         who publishes and who consumes what        (the only place to change)
    access        each user's permissions at RabbitMQ, from the table
    definitions   all of it in RabbitMQ's own format: definitions.json
    apply         brings a running RabbitMQ to it
    dead_letters  lists dead letters and replays them
"""
