"""What happens in the kernel becomes runs in the store."""
