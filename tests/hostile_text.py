"""Text that deliveries may hold and that must stay text everywhere."""

HOSTILE = "<script>window.stolen=1</script>"
FORMULA = "=cmd|' /C calc'!A0"
SEPARATOR = "CH\u2028001</script><img src=x onerror=window.stolen=1>"
