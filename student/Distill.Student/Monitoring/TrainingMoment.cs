namespace Distill.Student.Monitoring;

/// <summary>What alarms see of one policy update.</summary>
/// <param name="Step">1 for the first.</param>
/// <param name="Entropy">Nats at the learned tokens; NaN when the step had none.</param>
/// <param name="HeldOut">Sampled accuracy on held-out problems; NaN when not measured.</param>
public readonly record struct TrainingMoment(
    int Step, double Reward, double HeldOut, double Entropy, double MeanTokens, double Truncated, double DeadGroups, double GradientNorm)
{
    internal const int Fields = 8;

    internal long[] ToBits() =>
        [Step, .. ((double[])[Reward, HeldOut, Entropy, MeanTokens, Truncated, DeadGroups, GradientNorm]).Select(BitConverter.DoubleToInt64Bits)];

    internal static TrainingMoment FromBits(long[] bits)
    {
        double At(int field) => BitConverter.Int64BitsToDouble(bits[field]);
        return new TrainingMoment((int)bits[0], At(1), At(2), At(3), At(4), At(5), At(6), At(7));
    }
}
