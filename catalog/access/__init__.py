"""Who asks: tokens, signing in, what somebody did. Knows roles, and nothing of episodes."""
