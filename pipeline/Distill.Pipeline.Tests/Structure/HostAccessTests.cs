using System.Reflection;
using System.Reflection.Emit;
using Distill.Export.Parity;
using Distill.Generation.Torch.Sampling;
using Distill.Student.Fused;
using Distill.Student.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// A tensor's values are read where it lies. Outside nine types of the passes for the processor, nothing takes a span, a pointer, an
/// array or a number out of a tensor, but the few places below, each as often as it says: on a device every one of them
/// waits for it and copies.
/// </summary>
public sealed class HostAccessTests
{
    private static readonly Dictionary<string, (int Calls, string Reason)> Allowed = new()
    {
        ["Distill.Student.Model.FlatParameters"] = (
            8, "its own memory and spans for the processor's passes; a parameter is staged on its way in and out"),
        ["Distill.Student.Model.TensorBytes"] = (3, "files: a piece at a time between a device and a stream"),
        ["Distill.Student.Model.TensorPasses"] = (2, "one number: the norm of a step, and whether all is finite"),
        ["Distill.Student.Model.ReferenceGradientModel"] = (6, "what the other passes are compared with; trains nothing"),
        ["Distill.Student.Autograd.DeviceOperations"] = (2, "log-probabilities and sums of a micro-batch, once"),
        ["Distill.Student.Reinforcement.OnPolicyDivergenceLoss"] = (2, "log-probabilities of a chunk's tokens, once a chunk"),
        ["Distill.Generation.Torch.Sampling.HostTable"] = (4, "chosen tokens and their log-probabilities, once per step"),
        ["Distill.Export.Parity.TorchReferenceModel"] = (1, "the logits that an exported model is compared by"),
        ["Distill.Export.Quantization.InverseFactor"] = (3, "a factor that GPTQ walks along column by column, on the processor"),
        ["Distill.Export.Quantization.SelfDistillation"] = (4, "a teacher's labels, once a text; gradients of codes that lie in memory"),
        ["Distill.Export.Quantization.RoundingGain"] = (2, "rounded weights, whose codes lie in memory"),
        ["Distill.Export.Quantization.ScaleRecovery"] = (3, "rounded weights and norms, whose codes lie in memory"),
        ["Distill.Export.Parity.Localisation.FaultFinder"] = (1, "what a step should give, once a gate has failed"),
    };

    /// <summary>The passes for the processor: they work on memory, not on tensors.</summary>
    private static readonly HashSet<string> Processor =
    [
        .. ((string[])[
            "FusedLayer", "FusedPasses", "FusedReplica", "FusedUpdate", "GradientShare", "HostValues", "NativeRows", "OutputHead",
            "ProductRows",
        ]).Select(name => "Distill.Student.Fused." + name),
    ];

    private static readonly Assembly[] Assemblies =
        [typeof(FlatParameters).Assembly, typeof(ParityGate).Assembly, typeof(HostTable).Assembly];

    [Fact]
    public void Values_leave_their_device_only_where_it_is_said_why()
    {
        var found = Assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => MethodCalls.Of(type).Where(IsHostAccess).Select(call => (Type: Outermost(type), Call: call)))
            .GroupBy(found => found.Type).ToDictionary(group => group.Key, group => group.Select(found => found.Call.Name).ToList());
        found.Where(type => !Processor.Contains(type.Key) && type.Value.Count != Allowed.GetValueOrDefault(type.Key).Calls)
            .Select(type => $"{type.Key} takes values out of tensors {type.Value.Count} times, by {string.Join(", ", type.Value)}")
            .ShouldBeEmpty("work on tensors, or say above why not");
        Allowed.Keys.Concat(Processor).Except(found.Keys).ShouldBeEmpty("what is not done any more needs no permission");
    }

    [Fact]
    public void Every_way_out_of_a_tensor_is_seen() =>
        MethodCalls.Of(typeof(Leak)).Where(IsHostAccess).Select(call => call.Name).Distinct().ShouldBe(
            [
                ".ctor", "CPU", "Of", "PointerOf", "SpanOf", "ToArray", "ToScalar", "ToSingle", "allclose", "cpu", "data", "equal",
                "get_Span", "get_bytes",
                "item", "masked_select", "nonzero", "op_Explicit", "to",
            ],
            ignoreOrder: true);

    // A shape that depends on values makes the host wait for them, as a comparison's answer does.
    private static bool IsHostAccess(MemberInfo member) => member.DeclaringType switch
    {
        var type when type == typeof(Tensor) =>
            member.Name is "data" or "item" or "get_bytes" or "set_bytes" or "cpu" or "tolist" or "op_Explicit" or "ToScalar" or "equal"
                or "allclose" or "nonzero" or "masked_select" or "argwhere" or "is_nonzero"
            || (member is MethodInfo { Name: "to" } move && move.GetParameters().Any(given => given.ParameterType == typeof(DeviceType)))
            || member.Name.StartsWith("ReadCpu", StringComparison.Ordinal),
        var type when type == typeof(torch) =>
            member.Name is "CPU" or "get_CPU" or "equal" or "allclose" or "nonzero" or "masked_select" or "argwhere" or "is_nonzero",
        var type when type == typeof(TensorExtensionMethods) => member.Name is "ToSingle" or "ToDouble" or "ToHalf" or "ToByte" or "ToSByte"
            or "ToInt16" or "ToInt32" or "ToInt64" or "ToBoolean",
        var type when type == typeof(HostValues) => true,
        var type when type == typeof(NativeRows) => member.Name is nameof(NativeRows.PointerOf) or ".ctor",
        var type when type == typeof(FlatParameters) => member.Name is "get_Span" or "SpanOf" or "get_Pointer",
        var type => type?.FullName?.StartsWith("TorchSharp.torch+Storage", StringComparison.Ordinal) is true && member.Name != "Dispose"
            || type?.FullName?.StartsWith("TorchSharp.Utils.TensorAccessor", StringComparison.Ordinal) is true && member.Name != "Dispose",
    };

    private static string Outermost(Type type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type.FullName!;
    }

    /// <summary>What must be found; never called.</summary>
    private static unsafe class Leak
    {
        public static float Row(Tensor values) => new NativeRows(values)[0, 0];

        public static Tensor[] Moved(Tensor values) => [values.to(CPU), values.to(DeviceType.CPU)];

        public static object[] Answers(Tensor values) =>
            [values.ToScalar(), values.equal(values), values.allclose(values), values.nonzero(), values.masked_select(values)];

        public static double Numbers(Tensor values) => values.item<float>() + (float)values + values.ToSingle();

        public static int Arrays(Tensor values) => values.cpu().data<float>().ToArray().Length + values.bytes.Length;

        public static int Spans(FlatParameters parameters) => parameters.Span.Length + parameters.SpanOf("x").Length;

        public static float* Pointer(Tensor values) =>
            HostValues.Of(values).IsEmpty ? NativeRows.PointerOf(values) : HostValues.PointerOf(values);
    }
}

/// <summary>The methods that a type's own methods call, and the fields that they touch, read from their instructions.</summary>
internal static class MethodCalls
{
    private const BindingFlags Own =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<MemberInfo> Of(Type type) =>
        type.GetMethods(Own).Concat<MethodBase>(type.GetConstructors(Own)).SelectMany(Of);

    private static IEnumerable<MemberInfo> Of(MethodBase caller)
    {
        if (caller.GetMethodBody()?.GetILAsByteArray() is not { } code) yield break;
        for (int at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE) value = unchecked((short)(0xFE00 | code[at++]));
            var operation = Codes[value];
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok
                && Resolved(caller, BitConverter.ToInt32(code, at)) is { } called) yield return called;
            at += SizeOf(operation.OperandType, code, at);
        }
    }

    private static int SizeOf(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
        _ => 4,
    };

    private static MemberInfo? Resolved(MethodBase caller, int token) => caller.Module.ResolveMember(
        token, caller.DeclaringType!.IsGenericType ? caller.DeclaringType.GetGenericArguments() : null,
        caller.IsGenericMethod ? caller.GetGenericArguments() : null);
}
