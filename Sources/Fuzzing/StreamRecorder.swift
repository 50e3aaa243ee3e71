// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly

/// Writes down what reassembly delivers as the events that ``StreamScript`` reads, one recording for each connection.
struct StreamRecorder: ~Copyable, StreamSink {
    /// A connection.
    struct Recording {
        /// Its events.
        var script: [UInt8] = []
        /// The octets of the side that opened it, without holes.
        var fromOriginator: [UInt8] = []
        /// Those of the other side.
        var fromResponder: [UInt8] = []
    }

    private(set) var recordings: [Recording] = []
    private var current: [Int: Int] = [:]

    mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        current[introduction.slot] = recordings.count
        recordings.append(Recording(script: introduction.sawHandshake ? [] : [0x9C, 0, 0]))
    }

    mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        guard let number = current[slot] else { return }
        recordings[number].script.append(position.direction.rawValue | (position.startsSegment ? 0 : 0x20))
        recordings[number].script.append(counted: octets)
        for index in octets.indices {
            if position.direction == .fromOriginator {
                recordings[number].fromOriginator.append(octets[index])
            } else {
                recordings[number].fromResponder.append(octets[index])
            }
        }
    }

    mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        guard let number = current[slot] else { return }
        recordings[number].script.append(position.direction.rawValue | 4 << 2)
        recordings[number].script.append(number: count)
    }

    mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        guard let number = current[slot] else { return }
        recordings[number].script += [direction.rawValue | 5 << 2, end.rawValue]
    }

    mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        guard let number = current.removeValue(forKey: slot) else { return }
        recordings[number].script += [6 << 2, reason.rawValue]
    }
}
