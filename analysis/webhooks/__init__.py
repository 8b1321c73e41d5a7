"""What is sent to other programs: how it is signed, when it is sent again, where it may go. Pure; no database."""
