using System.Numerics;
using Distill.Templates.Library;
using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Python's operators. Whatever grows is paid for before it is built.</summary>
internal sealed class Arithmetic(RenderContext context)
{
    private const long MostBits = 1 << 16;

    public static Value Sign(Value operand, bool isMinus)
    {
        if (operand is Undefined undefined) throw undefined.Failure();
        if (Numbers.Whole(operand) is { } whole) return new Integer(isMinus ? -whole : whole);
        return operand is Float real
            ? new Float(isMinus ? -real.Value : real.Value)
            : throw TemplateException.Type($"bad operand type for a sign: '{operand.TypeName}'");
    }

    public Value Apply(BinaryOperator sign, Value left, Value right)
    {
        if (left is Text { IsMarkup: true } || right is Text { IsMarkup: true })
            throw TemplateException.Unsupported("escaped text cannot be joined with other text");
        if (sign == BinaryOperator.Modulo && left is Text format) return PercentFormat.Apply(context, format, right);
        if (left is Undefined a) throw a.Failure();
        if (right is Undefined b) throw b.Failure();
        return (sign, left, right) switch
        {
            (_, _, _) when Numbers.Whole(left) is { } x && Numbers.Whole(right) is { } y => Whole(sign, x, y),
            (_, _, _) when Numbers.Is(left) && Numbers.Is(right) => new Float(Real(sign, Numbers.Real(left), Numbers.Real(right))),
            (BinaryOperator.Add, Text x, Text y) => context.Concat([x, y]),
            (BinaryOperator.Add, Sequence { IsIndexable: true } x, Sequence y) when x.Kind == y.Kind => Join(x, y),
            (BinaryOperator.Multiply, _, _) when Numbers.Whole(right) is { } times && left is Text or Sequence { IsIndexable: true } =>
                Repeat(left, times),
            (BinaryOperator.Multiply, _, _) when Numbers.Whole(left) is { } times && right is Text or Sequence { IsIndexable: true } =>
                Repeat(right, times),
            _ => throw TemplateException.Type($"unsupported operand types for {sign}: '{left.TypeName}' and '{right.TypeName}'"),
        };
    }

    public bool Holds(ComparisonOperator sign, Value left, Value right) => sign switch
    {
        ComparisonOperator.Equal => context.Comparison.Equals(left, right),
        ComparisonOperator.NotEqual => !context.Comparison.Equals(left, right),
        ComparisonOperator.Less => context.Comparison.Compare(left, right) < 0,
        ComparisonOperator.LessOrEqual => context.Comparison.Compare(left, right) <= 0,
        ComparisonOperator.Greater => context.Comparison.Compare(left, right) > 0,
        ComparisonOperator.GreaterOrEqual => context.Comparison.Compare(left, right) >= 0,
        ComparisonOperator.In => Contains(right, left),
        _ => !Contains(right, left),
    };

    private bool Contains(Value container, Value item) => container switch
    {
        Text text => item is Text part
            ? text.Value.Contains(part.Value, StringComparison.Ordinal)
            : throw TemplateException.Type($"'in <string>' requires string as left operand, not {item.TypeName}"),
        Mapping mapping => mapping.TryGet(item, out _),
        _ => context.Iterate(container).Any(other => context.Comparison.Equals(item, other)),
    };

    private Integer Whole(BigInteger value)
    {
        if (value.GetBitLength() > MostBits) throw TemplateException.Limit($"an integer has more than {MostBits} bits");
        context.Budget.Charge(1 + value.GetBitLength() / 64);
        return new Integer(value);
    }

    private Value Whole(BinaryOperator sign, BigInteger x, BigInteger y)
    {
        if (y.IsZero && sign is BinaryOperator.Divide or BinaryOperator.FloorDivide or BinaryOperator.Modulo)
            throw TemplateException.Type("division by zero");
        return sign switch
        {
            BinaryOperator.Add => Whole(x + y),
            BinaryOperator.Subtract => Whole(x - y),
            BinaryOperator.Multiply => Whole(x * y),
            BinaryOperator.Divide => new Float((double)x / (double)y),
            BinaryOperator.FloorDivide => Whole((x - FloorRemainder(x, y)) / y),
            BinaryOperator.Modulo => Whole(FloorRemainder(x, y)),
            _ => Power(x, y),
        };
    }

    private Value Power(BigInteger x, BigInteger y)
    {
        if (y.Sign < 0) return x.IsZero ? throw TemplateException.Type("division by zero") : new Float(Math.Pow((double)x, (double)y));
        if (BigInteger.Abs(x) > BigInteger.One && y * x.GetBitLength() > MostBits)
            throw TemplateException.Limit($"an integer has more than {MostBits} bits");
        if (BigInteger.Abs(x) > BigInteger.One) return Whole(BigInteger.Pow(x, (int)y));
        return new Integer(y.IsZero || (x.Sign < 0 && y.IsEven) ? BigInteger.One : x);
    }

    /// <summary>Has the sign of the divisor, as in Python.</summary>
    private static BigInteger FloorRemainder(BigInteger x, BigInteger y)
    {
        var remainder = BigInteger.Remainder(x, y);
        return remainder.IsZero || remainder.Sign == y.Sign ? remainder : remainder + y;
    }

    private static double FloorRemainder(double x, double y)
    {
        double remainder = x % y;
        return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder == 0 ? Math.CopySign(0, y) : remainder;
    }

    private static double Real(BinaryOperator sign, double x, double y)
    {
        if (y == 0 && sign is BinaryOperator.Divide or BinaryOperator.FloorDivide or BinaryOperator.Modulo)
            throw TemplateException.Type("division by zero");
        return sign switch
        {
            BinaryOperator.Add => x + y,
            BinaryOperator.Subtract => x - y,
            BinaryOperator.Multiply => x * y,
            BinaryOperator.Divide => x / y,
            BinaryOperator.FloorDivide => Math.Round((x - FloorRemainder(x, y)) / y),
            BinaryOperator.Modulo => FloorRemainder(x, y),
            _ =>
                Math.Pow(x, y) is var power && double.IsNaN(power)
                    ? throw TemplateException.Unsupported("complex numbers are not supported")
                    : power,
        };
    }

    private Sequence Join(Sequence x, Sequence y)
    {
        context.Budget.Charge((long)x.Items.Count + y.Items.Count);
        return new Sequence(x.Kind, [.. x.Items, .. y.Items]);
    }

    private Value Repeat(Value value, BigInteger times)
    {
        int length = value is Text measured ? measured.Value.Length : ((Sequence)value).Items.Count;
        if (length == 0 || times.Sign <= 0) times = BigInteger.Zero;
        context.Budget.Charge((long)BigInteger.Min(times * length, long.MaxValue));
        return value is Text text
            ? Text.Concat([Text.Empty, .. Enumerable.Repeat(text, (int)times)])
            : new Sequence(((Sequence)value).Kind, [.. Enumerable.Repeat(((Sequence)value).Items, (int)times).SelectMany(i => i)]);
    }
}
