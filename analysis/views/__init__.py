"""Pages. A view reads a request, calls one or two selectors or services, and renders; it holds no rule."""
