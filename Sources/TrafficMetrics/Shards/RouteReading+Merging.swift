// Wingmirror · Apache-2.0

extension RouteReading {
    /// Adds what another shard counted of the same route.
    mutating func add(_ other: RouteReading) {
        for theirs in other.requests {
            if let index = requests.firstIndex(where: { $0.combination == theirs.combination }) {
                requests[index].count &+= theirs.count
                requests[index].beganAt = min(requests[index].beganAt, theirs.beganAt)
            } else {
                requests.append(theirs)
            }
        }
        for (codeClass, histogram) in other.durations {
            if let index = durations.firstIndex(where: { $0.codeClass == codeClass }) {
                durations[index].histogram.add(histogram)
            } else {
                durations.append((codeClass, histogram))
            }
        }
        serverWait.add(other.serverWait)
        requestBody.add(other.requestBody)
        responseBody.add(other.responseBody)
        addStreams(of: other)
        isOfOneMoment = isOfOneMoment && other.isOfOneMoment
        lastRequest = [lastRequest, other.lastRequest].compactMap(\.self).max()
        firstRequest = [firstRequest, other.firstRequest].compactMap(\.self).min()
    }

    private mutating func addStreams(of other: RouteReading) {
        for (counter, counted) in other.codes {
            if let index = codes.firstIndex(where: { $0.counter == counter }) {
                codes[index].counted.add(counted)
            } else {
                codes.append((counter, counted))
            }
        }
        for (counter, counted) in other.counters {
            if let index = counters.firstIndex(where: { $0.counter == counter }) {
                counters[index].counted.add(counted)
            } else {
                counters.append((counter, counted))
            }
        }
        for (kind, histogram) in other.streams {
            if let index = streams.firstIndex(where: { $0.kind == kind }) {
                streams[index].histogram.add(histogram)
            } else {
                streams.append((kind, histogram))
            }
        }
    }

    /// Puts what was counted into the order in which it is written.
    mutating func sort() {
        requests.sort { $0.combination.packed < $1.combination.packed }
        codes.sort { $0.counter.position < $1.counter.position }
        counters.sort { $0.counter.rawValue < $1.counter.rawValue }
        streams.sort { $0.kind.rawValue < $1.kind.rawValue }
        durations.sort { $0.codeClass.rawValue < $1.codeClass.rawValue }
    }
}

extension BegunCount {
    /// Adds what another shard counted of the same.
    fileprivate mutating func add(_ other: BegunCount) {
        count &+= other.count
        beganAt = [beganAt, other.beganAt].compactMap(\.self).min()
    }
}

extension HistogramSnapshot? {
    /// Adds the observations of another histogram, if there is one.
    fileprivate mutating func add(_ other: HistogramSnapshot?) {
        guard let other else { return }
        if self == nil { self = HistogramSnapshot(layout: other.layout) }
        self?.add(other)
    }
}

extension [RouteCells] {
    /// What all shards counted of a route.
    func read(layout: ShardLayout, copy: inout RouteCopy) -> RouteReading {
        var reading = first?.read(layout: layout, copy: &copy) ?? RouteReading()
        for cells in dropFirst() {
            reading.add(cells.read(layout: layout, copy: &copy))
        }
        reading.sort()
        return reading
    }
}
