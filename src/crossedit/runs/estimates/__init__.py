"""What jobs will take, told before they run: memory, time, storage, money."""
