"""`bearerkit policy`: check documents, explain a decision, run cases. Reads files and prints; decides nothing itself.

What a policy says is decided in `bearerkit.policy`. Nothing here may be imported by a service.
"""

from __future__ import annotations
