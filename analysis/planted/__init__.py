"""A catalogue of any size with planted truth, to measure speed on and to test against. ``services.planting`` writes it.

Pure and seeded: ``words`` names and titles · ``shows`` series, their casts and what each of them feels over time ·
``episodes`` what every face shows, stretch by stretch · ``measured`` the rows that a run would have derived from that.
"""
