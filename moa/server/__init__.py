"""The HTTP server: a mixture as one more model name for every client that speaks the OpenAI protocol.

A request passes `front.py` (who asks, what is logged and counted), is read by `reading.py` into one of the forms of
`forms.py`, waits in the `lobby.py`, and is answered by `answering.py`, which follows one run of a mixture and says what
of it is answer. `offers.py` knows which model names there are; `tailoring.py` fits a mixture to what one request wants.
"""
