"""What the supervisor and the agent decide: restarts, answers, deliveries, and what is reported.

PURE. `hanode.proc.supervisor` and `hanode.proc.agent` give these machines what happened and the
time, and do what they say.
"""
