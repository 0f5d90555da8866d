namespace Distill.Teacher.Remote.Calls;

/// <summary>Seeded numbers in [0, 1) for any thread. They spread attempts over time and decide nothing else.</summary>
internal sealed class Jitter(int seed)
{
    private readonly Lock gate = new();
    private readonly Random random = new(seed);

    public double Next()
    {
        lock (gate) return random.NextDouble();
    }
}
