using System.Reflection;
using Distill.Export.Parity;
using Distill.Generation.Torch.Sampling;
using Distill.Libtorch;
using Distill.Student.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// An addition that is given no factor makes a scalar for one, as does an operator with a number, and TorchSharp may free that while it is
/// still read: <see cref="KeptScalar"/> says how. Wherever models compute, the factor is <see cref="KeptScalar.One"/>.
/// </summary>
public sealed class KeptScalarTests
{
    private static readonly Assembly[] Assemblies =
        [typeof(FlatParameters).Assembly, typeof(ParityGate).Assembly, typeof(HostTable).Assembly];

    [Fact]
    public void No_tensor_is_added_or_met_by_a_number_without_a_scalar_that_is_kept() =>
        Assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => MethodCalls.Of(type).OfType<MethodBase>().Where(MakesScalar).Select(call => $"{type.FullName}: {call}"))
            .ShouldBeEmpty("give KeptScalar.One as the last argument, and numbers by KeptScalar.Of");

    [Fact]
    public void Every_such_call_is_seen() =>
        MethodCalls.Of(typeof(Risky)).OfType<MethodBase>().Where(MakesScalar).Select(call => call.Name).ShouldBe(
        ["add", "add", "add_", "add_", "op_Addition", "op_Addition", "op_Addition", "op_Subtraction", "op_Subtraction", "op_Multiply",
            "op_Division"], ignoreOrder: true);

    // Nothing but a sum has a factor; to subtract a tensor from a number is one.
    private static bool MakesScalar(MethodBase method)
    {
        if (method.DeclaringType != typeof(Tensor)) return false;
        Type[] parameters = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];
        return method.Name switch
        {
            "add" or "add_" => parameters.Length == 1,
            "op_Addition" => true,
            "op_Subtraction" when parameters[0] == typeof(Scalar) => true,
            "op_Subtraction" or "op_Multiply" or "op_Division" or "op_Modulus" =>
                parameters.Any(type => type != typeof(Tensor) && type != typeof(Scalar)),
            _ => false,
        };
    }

    /// <summary>What must be found, and in the last method what must not; never called.</summary>
    private static class Risky
    {
        public static Tensor Sums(Tensor x, Scalar one) => x.add(x).add(one).add_(x).add_(one);

        public static Tensor Operators(Tensor x, Scalar one) => one - ((((x + x + 1 + one) - 1) * 2) / 3);

        public static Tensor Safe(Tensor x, Scalar one) => x.add(x, KeptScalar.One).add_(one, KeptScalar.One) - (x * x * one) - one;
    }
}
