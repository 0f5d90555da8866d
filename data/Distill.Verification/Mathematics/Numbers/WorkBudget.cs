using System.Numerics;

namespace Distill.Verification.Mathematics.Numbers;

/// <summary>
/// What a comparison may still do, counted in steps of a few nanoseconds. Steps rather than time: the same answer gets the same verdict
/// on every machine. One comparison, one thread.
/// </summary>
internal sealed class WorkBudget(long steps, WorkBudget? whole = null)
{
    private const int WordBits = 64;

    private long left = steps;

    /// <returns>False once more was spent than there was.</returns>
    public bool Spend(long amount)
    {
        left -= amount;
        return left >= 0 && (whole is null || whole.Spend(amount));
    }

    /// <summary>For an operation that grows with the product of both sizes, as multiplication does.</summary>
    public bool Spend(long bits, long otherBits) => Spend(8 + (((bits / WordBits) + 1) * ((otherBits / WordBits) + 1)));

    public bool Spend(BigInteger left, BigInteger right) => Spend(left.GetBitLength(), right.GetBitLength());

    /// <summary>A part of this budget: what is spent from it is spent here too.</summary>
    public WorkBudget Part(long amount) => new(amount, this);
}
