// Wingmirror · Apache-2.0

/// Hands out the numbers from 0 up to a capacity, reusing the one given back last.
struct SlotPool: ~Copyable {
    /// How many numbers are handed out at present.
    private(set) var count = 0
    /// Numbers from this one on were never handed out.
    private(set) var highWater = 0
    private var freeCount = 0
    private var free: FixedBuffer<UInt32>

    /// Makes a pool of `capacity` numbers, all free.
    init(capacity: Int) {
        free = FixedBuffer(capacity: capacity)
    }

    /// How many numbers may be handed out at once.
    var capacity: Int {
        free.capacity
    }

    /// How many numbers are free.
    var available: Int {
        capacity - count
    }

    /// Takes a free number.
    ///
    /// There must be one: callers make room first.
    mutating func acquire() -> Int {
        precondition(count < capacity, "SlotPool: acquire() without room")
        count += 1
        if freeCount > 0 {
            freeCount -= 1
            return Int(free[freeCount])
        }
        highWater += 1
        return highWater - 1
    }

    /// Gives back a number that was taken.
    mutating func release(_ slot: Int) {
        free[freeCount] = UInt32(slot)
        freeCount += 1
        count -= 1
    }
}
