// Wingmirror · Apache-2.0

import Synchronization

/// Holds a value until the thread that is to own it takes it.
final class Handover<Value: ~Copyable>: Sendable {
    private let value: Mutex<Value?>

    /// Takes over a value.
    init(_ value: consuming sending Value) {
        self.value = Mutex(value)
    }

    /// The value, for the first who asks.
    func take() -> sending Value? {
        value.withLock { value in
            value.take()
        }
    }
}
