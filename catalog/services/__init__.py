"""What changes the catalogue. Everything that writes to it goes through here."""
