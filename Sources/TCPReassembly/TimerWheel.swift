// Wingmirror · Apache-2.0

/// Deadlines of numbered things, kept so that setting, moving and dropping one costs the same however many there are.
///
/// A hashed timing wheel: a ring of buckets, each a list of the numbers whose deadline falls into one tick. Deadlines
/// further away than the ring reaches are put into its last bucket; whoever gets a number early sets it again. Each
/// number is in one of a few *lanes*, so that the most urgent of one kind can be found. Within a bucket the order is
/// that of insertion, which makes the order of expiry a function of the input alone.
struct TimerWheel: ~Copyable {
    /// The place of a number in its bucket.
    ///
    /// Not private: the compiler cannot emit a buffer of a private type.
    struct Link: BitwiseCopyable {
        var next: UInt32
        var previous: UInt32
        var bucket: UInt32
    }

    private static let none = UInt32.max

    private let tickShift: Int64
    private let bucketCount: Int
    private let laneCount: Int
    private var currentTick: Int64 = 0
    private var heads: FixedBuffer<UInt32>
    private var tails: FixedBuffer<UInt32>
    private var links: FixedBuffer<Link>
    /// For each lane a tick before which no bucket holds anything, so that the search for the first walks each bucket once.
    private var lowest: FixedBuffer<Int64>

    /// Makes a wheel for the numbers below `capacity`, with ticks of 2^`tickShift` nanoseconds.
    ///
    /// The ring reaches `bucketCount` ticks, which must be a power of two.
    init(capacity: Int, lanes: Int, tickShift: Int64, bucketCount: Int) {
        precondition(bucketCount.nonzeroBitCount == 1, "TimerWheel: the bucket count must be a power of two")
        self.tickShift = tickShift
        self.bucketCount = bucketCount
        laneCount = lanes
        heads = FixedBuffer(repeating: Self.none, count: lanes * bucketCount)
        tails = FixedBuffer(repeating: Self.none, count: lanes * bucketCount)
        links = FixedBuffer(capacity: capacity)
        lowest = FixedBuffer(repeating: 0, count: lanes)
    }

    /// The first time on the clock at which `nextDue` may have something to say.
    var nextTick: Int64 {
        (currentTick + 1) << tickShift
    }

    /// Sets the deadline of a number that has none.
    mutating func insert(_ number: Int, lane: Int, deadline: Int64) {
        let tick = tick(of: deadline)
        let bucket = bucket(lane: lane, tick: tick)
        lowest[lane] = min(lowest[lane], tick)
        let tail = tails[bucket]
        links[number] = Link(next: Self.none, previous: tail, bucket: UInt32(bucket))
        if tail == Self.none {
            heads[bucket] = UInt32(number)
        } else {
            links[Int(tail)].next = UInt32(number)
        }
        tails[bucket] = UInt32(number)
    }

    /// Drops the deadline of a number that has one.
    mutating func remove(_ number: Int) {
        let link = links[number]
        let bucket = Int(link.bucket)
        if link.previous == Self.none {
            heads[bucket] = link.next
        } else {
            links[Int(link.previous)].next = link.next
        }
        if link.next == Self.none {
            tails[bucket] = link.previous
        } else {
            links[Int(link.next)].previous = link.previous
        }
    }

    /// Whether a number that has a deadline is where `deadline` would put it.
    func isPlaced(_ number: Int, lane: Int, deadline: Int64) -> Bool {
        Int(links[number].bucket) == bucket(lane: lane, tick: tick(of: deadline))
    }

    /// The tick at which a deadline is due, or the last on the ring.
    private func tick(of deadline: Int64) -> Int64 {
        // A tick later than the deadline's own, so that what is due has truly been reached.
        min(max((deadline >> tickShift) + 1, currentTick), currentTick + Int64(bucketCount) - 1)
    }

    private func bucket(lane: Int, tick: Int64) -> Int {
        lane * bucketCount + (Int(tick) & (bucketCount - 1))
    }

    /// A number whose deadline may have been reached at `now`; `nil` once there is none left.
    ///
    /// It keeps its place until the caller removes it, which it must do before it asks again.
    mutating func nextDue(at now: Int64) -> Int? {
        let tick = now >> tickShift
        if tick - currentTick >= Int64(bucketCount) {
            // Everything on the ring is due: one turn visits it all.
            currentTick = tick - Int64(bucketCount) + 1
            for lane in 0..<laneCount { lowest[lane] = currentTick }
        }
        while true {
            for lane in 0..<laneCount {
                let head = heads[lane * bucketCount + (Int(currentTick) & (bucketCount - 1))]
                if head != Self.none {
                    return Int(head)
                }
            }
            guard currentTick < tick else {
                return nil
            }
            currentTick += 1
        }
    }

    /// The number in `lane` with the nearest deadline, to the tick.
    mutating func first(in lane: Int) -> Int? {
        var tick = max(lowest[lane], currentTick)
        while tick < currentTick + Int64(bucketCount) {
            let head = heads[bucket(lane: lane, tick: tick)]
            if head != Self.none {
                lowest[lane] = tick
                return Int(head)
            }
            tick += 1
        }
        lowest[lane] = tick
        return nil
    }
}
