/**
 * Names of services that Windows XP to 11 and Server bring with them (the keys below HKLM\SYSTEM\CurrentControlSet\Services), so that a service's SID, which
 * is a hash of its name, can be told without the registry.
 */
export const SERVICES: readonly string[] = `
AarSvc AeLookupSvc AJRouter ALG AppHostSvc AppIDSvc Appinfo AppMgmt AppReadiness AppVClient AppXSvc aspnet_state AssignedAccessManagerSvc AudioEndpointBuilder
Audiosrv AudioSrv autotimesvc AxInstSV BcastDVRUserService BDESVC BFE BITS BluetoothUserService BrokerInfrastructure Browser BTAGService BthAvctpSvc bthserv
camsvc CaptureService cbdhsvc CDPSvc CDPUserSvc CertPropSvc CertSvc ClickToRunSvc ClipSVC clr_optimization_v2.0.50727_32 clr_optimization_v2.0.50727_64
COMSysApp ConsentUxUserSvc CoreMessagingRegistrar CredentialEnrollmentManagerUserSvc CryptSvc CscService DcomLaunch DcpSvc defragsvc DeviceAssociationBrokerSvc
DeviceAssociationService DeviceInstall DevicePickerUserSvc DevicesFlowUserSvc DevQueryBroker DFS DFSR Dhcp DHCPServer diagnosticshub.standardcollector.service
diagsvc DiagTrack DialogBlockingService DispBrokerDesktopSvc DisplayEnhancementService dmserver DmEnrollmentSvc dmwappushservice DNS Dnscache DoSvc dot3svc DPS
DsmSvc DsRoleSvc DsSvc DusmSvc EapHost EFS embeddedmode EntAppSvc ERSvc EventLog EventSystem Fax fdPHost FDResPub fhsvc FontCache FontCache3.0.0.0
FrameServer FrameServerMonitor gpsvc GraphicsPerfSvc helpsvc hidserv hkmsvc HomeGroupListener HomeGroupProvider HvHost icssvc idsvc IEEtwCollectorService IISADMIN
IKEEXT InstallService iphlpsvc IpxlatCfgSvc IsmServ kdc KeyIso KPSSVC KtmRm LanmanServer LanmanWorkstation lfsvc LicenseManager lltdsvc lmhosts LSM
LxpSvc LxssManager MapsBroker Mcx2Svc Messenger MessagingService MixedRealityOpenXRSvc MMCSS MpsSvc MSDTC MSiSCSI msiserver MSMQ MsKeyboardFilter MSSQLSERVER
MSSQLFDLauncher napagent NaturalAuthentication NcaSvc NcbService NcdAutoSetup Netlogon Netman netprofm NetSetupSvc NetTcpPortSharing NgcCtnrSvc NgcSvc NlaSvc nsi NTDS
NtFrs NtmsSvc OneSyncSvc p2pimsvc p2psvc PcaSvc PeerDistSvc perceptionsimulation PerfHost PhoneSvc PimIndexMaintenanceSvc pla PlugPlay PNRPAutoReg PNRPsvc PolicyAgent
Power PrintNotify PrintWorkflowUserSvc ProfSvc ProtectedStorage PushToInstall QWAVE RasAuto RasMan RemoteAccess RemoteRegistry RetailDemo RmSvc RpcEptMapper RpcLocator
RpcSs RSVP SamSs SCardSvr ScDeviceEnum Schedule SCPolicySvc SDRSVC seclogon SecurityHealthService SEMgrSvc SENS Sense SensorDataService SensorService SensrSvc
SessionEnv SgrmBroker SharedAccess SharedRealitySvc ShellHWDetection shpamsvc smphost SmsRouter SNMP SNMPTRAP spectrum Spooler sppsvc sppuinotify SQLBrowser
SQLSERVERAGENT SQLWriter srservice SSDPSRV ssh-agent sshd SstpSvc StateRepository stisvc StiSvc StorSvc svsvc swprv SysMain SystemEventsBroker TabletInputService
TapiSrv TBS TermService TextInputManagementService Themes THREADORDER TieringEngineService tiledatamodelsvc TimeBroker TimeBrokerSvc TlntSvr TokenBroker TrkSvr TrkWks
TroubleshootingSvc TrustedInstaller tzautoupdate UALSVC UdkUserSvc UevAgentService UI0Detect UmRdpService UnistoreSvc upnphost UPS UserDataSvc UserManager UsoSvc
UxSms VacSvc VaultSvc vds vmicguestinterface vmicheartbeat vmickvpexchange vmicrdv vmicshutdown vmictimesync vmicvmsession vmicvss vmms vmcompute VSS W32Time
W3SVC WaaSMedicSvc WalletService WarpJITSvc WAS WatAdminSvc wbengine WbioSrvc Wcmsvc wcncsvc WcsPlugInService WdiServiceHost WdiSystemHost WdNisSvc WebClient
Wecsvc WEPHOSTSVC wercplsupport WerSvc WFDSConMgrSvc WiaRpc WinDefend WinHttpAutoProxySvc Winmgmt WinRM WINS wisvc Wlansvc WlanSvc wlidsvc wlms wlpasvc WManSvc wmiApSrv
WMPNetworkSvc WMSvc workfolderssvc WpcMonSvc WPCSvc WPDBusEnum WpnService WpnUserService wscsvc WSearch WSService wuauserv wudfsvc WwanSvc WZCSVC XblAuthManager XblGameSave XboxGipSvc
XboxNetApiSvc xmlprov`
  .trim()
  .split(/\s+/);
