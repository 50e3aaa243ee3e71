// Wingmirror · Apache-2.0
// The files of a process: proc(5).

import AgentConfiguration
import Glibc
import TrafficMetrics

/// Supplies what client libraries say of their process; what the system does not tell is left out.
struct ProcessCollector: MetricCollector {
    /// When the system started, as it said when the collector was made: when its clock is set the system says another time,
    /// and this process would seem to have started anew.
    private let bootTime = ProcessCollector.bootTime

    func collect(into samples: inout SampleCollection) {
        collectStatus(into: &samples)
        if let octets = ProcessMemory.residentOctets {
            samples.set(MetricCatalogue.processResidentMemory, [], Double(octets))
        }
        if let count = descriptorCount {
            samples.set(MetricCatalogue.processOpenFDs, [], Double(count))
        }
        var limit = rlimit()
        // The structure outlives the call.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.set(MetricCatalogue.processMaxFDs, [], Double(limit.rlim_cur))
        }
    }

    /// What `/proc/self/stat` says, counted from behind the program's name, which may contain anything.
    private static var status: [Double]? {
        guard let octets = try? FileContents.read("/proc/self/stat", limit: 4096),
            let end = octets.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = String(decoding: octets[(end + 1)...], as: UTF8.self).split(separator: " ").map { Double($0) ?? 0 }
        return fields.count > 20 ? fields : nil
    }

    private static var ticksPerSecond: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    /// Processor time that the process has used, in seconds; `nil` where the system does not tell.
    static var processorSeconds: Double? {
        status.map { ($0[11] + $0[12]) / ticksPerSecond }
    }

    private func collectStatus(into samples: inout SampleCollection) {
        guard let fields = Self.status else { return }
        let ticksPerSecond = Self.ticksPerSecond
        samples.count(MetricCatalogue.processCPU, [], seconds: (fields[11] + fields[12]) / ticksPerSecond)
        samples.set(MetricCatalogue.processThreads, [], fields[17])
        samples.set(MetricCatalogue.processVirtualMemory, [], fields[20])
        if let boot = bootTime {
            samples.set(MetricCatalogue.processStartTime, [], boot + fields[19] / ticksPerSecond)
        }
    }

    private static var bootTime: Double? {
        guard let octets = try? FileContents.read("/proc/stat", limit: 8 << 20) else { return nil }
        let line = String(decoding: octets, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private var descriptorCount: Int? {
        // The stream is closed before it is forgotten, and entries are only counted.
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe _ = closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Two are the folder's own and its parent's entries, one is the descriptor that reads them.
        return max(count - 3, 0)
    }
}
