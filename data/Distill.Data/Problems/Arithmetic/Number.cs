using System.Globalization;

namespace Distill.Data.Problems.Arithmetic;

internal sealed record Number(int Amount) : Expression
{
    public override string Text => Amount.ToString(CultureInfo.InvariantCulture);

    public override int Value => Amount;
}
