namespace Distill.Generation;

/// <summary>(run seed, problem, sample) → seed, by the SplitMix64 finaliser (Steele, Lea, Flood 2014); order and batch play no part.</summary>
public static class SeedSequence
{
    public static ulong Derive(ulong runSeed, ulong problem, ulong sample) => Mix(Mix(Mix(runSeed) ^ problem) ^ (sample + 0x9E3779B97F4A7C15));

    /// <summary>FNV-1a of a problem id, so that seeds follow the problem, not its position.</summary>
    public static ulong Hash(string id)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in id) hash = (hash ^ c) * 0x100000001B3;
        return Mix(hash);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
