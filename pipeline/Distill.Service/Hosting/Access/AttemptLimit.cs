using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Distill.Service.Hosting.Access;

/// <summary>
/// Slows down whoever tries keys: after ten wrong ones within a minute, an address (of IPv6 its /64) is not listened to for a minute. That
/// minute begins with the first wrong one, so who is wrong now and then is never shut out. Remembers a bounded number of addresses.
/// Thread-safe.
/// </summary>
internal sealed class AttemptLimit(TimeProvider clock)
{
    public const int Most = 10;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private const int MostAddresses = 10_000;

    private readonly ConcurrentDictionary<string, Attempts> known = new(StringComparer.Ordinal);

    private sealed record Attempts(int Count, long First, long Last);

    /// <returns>How long not to listen; null to listen.</returns>
    public TimeSpan? Wait(IPAddress? address)
    {
        if (!known.TryGetValue(KeyOf(address), out var attempts) || attempts.Count < Most) return null;
        var left = Window - clock.GetElapsedTime(attempts.Last);
        return left > TimeSpan.Zero ? left : null;
    }

    public void Wrong(IPAddress? address)
    {
        if (known.Count >= MostAddresses) Forget();
        long now = clock.GetTimestamp();
        known.AddOrUpdate(KeyOf(address), new Attempts(1, now, now), (_, before) =>
            IsOver(before) ? new(1, now, now) : before with { Count = before.Count + 1, Last = now });
    }

    /// <summary>Forgets the wrong ones: who has the key to act has nothing left to guess.</summary>
    public void Right(IPAddress? address) => known.TryRemove(KeyOf(address), out _);

    // Of one that is not listened to, the minute counts from the last wrong key.
    private bool IsOver(Attempts attempts) =>
        clock.GetElapsedTime(attempts.Count < Most ? attempts.First : attempts.Last) >= Window;

    // Those that are over; should all be fresh, all: an attacker with ten thousand addresses gets no memory for it.
    private void Forget()
    {
        foreach (var (key, attempts) in known)
        {
            if (IsOver(attempts)) known.TryRemove(key, out _);
        }

        if (known.Count >= MostAddresses) known.Clear();
    }

    private static string KeyOf(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }
}
