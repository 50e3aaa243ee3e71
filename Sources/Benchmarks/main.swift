// Wingmirror · Apache-2.0

print("Benchmarks")
