"""The commissioning report: what was installed, confirmed and measured, for those who sign for it.

`model` is the report as data, `gathering` looks at the gateway, `record` keeps what only the person
before the machines knew, `page` writes one HTML file, `sealed` reads and checks such a file, and
`comparison` tells what has changed since.
"""
