print("maxmin")
